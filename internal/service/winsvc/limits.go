package winsvc

import (
	"fmt"
	"strings"
	"unicode/utf16"

	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// The limits of the service control manager and of CreateProcess, without the NUL at the end. The
// manager accepts command lines that CreateProcess refuses later.
// https://learn.microsoft.com/openspecs/windows_protocols/ms-scmr/2fee6fe1-c24c-4dfd-9d1c-d2ba4ceea7a0
// https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-createprocessw
// https://learn.microsoft.com/windows/win32/procthread/environment-variables
const (
	longestLine        = 32767 - 1 // characters
	longestVariable    = 32767 - 1 // characters, with the name
	longestDescription = 8<<10 - 1 // characters
	longestList        = 4 << 10   // bytes of all dependencies, or of all privileges, with their NULs
)

// lengthUTF16 returns the length of s in UTF-16, as Windows counts it.
func lengthUTF16(s string) int { return len(utf16.Encode([]rune(s))) }

// fits returns an error for settings that are longer than Windows allows, or that Windows would
// take for something else.
func (w settings) fits(s manage.Spec) error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("%w: "+format, append([]any{manage.ErrConfig}, args...)...)
	}
	if n := lengthUTF16(w.ImagePath); n > longestLine {
		return wrong("the command line (Executable and Arguments with quotes) has %d characters: Windows allows %d", n, longestLine)
	}
	if n := lengthUTF16(w.Description); n > longestDescription {
		return wrong("Description has %d characters: Windows allows %d", n, longestDescription)
	}
	for _, f := range []struct{ field, value string }{{"DisplayName", w.DisplayName}, {"Description", w.Description}} {
		if strings.HasPrefix(f.value, "@") {
			return wrong("%s is %q: it must not begin with @, which to Windows means that the text is in a file", f.field, f.value)
		}
	}
	for _, f := range []struct {
		field string
		list  []string
	}{{"Dependencies", w.Dependencies}, {"Hardening.Capabilities", w.Privileges}} {
		bytes := 2
		for _, name := range f.list {
			bytes += 2 * (lengthUTF16(name) + 1)
		}
		if bytes > longestList {
			return wrong("%s has %d bytes: Windows allows %d", f.field, bytes, longestList)
		}
	}
	for _, name := range s.Dependencies {
		if strings.EqualFold(name, s.ServiceName()) {
			return wrong("Dependencies contains the service itself: to Windows, %s and %s are the same name", name, s.ServiceName())
		}
	}
	return checkEnvironment(s, w.Environment)
}

// checkEnvironment checks the variables. Like Windows, it ignores the case of their names.
func checkEnvironment(s manage.Spec, all []string) error {
	had := map[string]string{}
	for _, v := range manage.Vars(s.Environment) {
		key := strings.ToUpper(v.Name)
		if manage.Reserved(key) {
			return fmt.Errorf("%w: Environment has %s: to Windows, that is %s, which is set by the manager", manage.ErrConfig, v.Name, key)
		}
		if other, ok := had[key]; ok {
			return fmt.Errorf("%w: Environment has %s and %s, which are the same variable to Windows", manage.ErrConfig, other, v.Name)
		}
		had[key] = v.Name
	}
	for _, v := range all {
		if n := lengthUTF16(v); n > longestVariable {
			name, _, _ := strings.Cut(v, "=")
			return fmt.Errorf("%w: Environment[%s] has %d characters, including its name: Windows allows %d", manage.ErrConfig, name, n, longestVariable)
		}
	}
	return nil
}
