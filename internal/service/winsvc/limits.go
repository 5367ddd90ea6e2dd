package winsvc

import (
	"fmt"
	"strings"
	"unicode/utf16"

	"github.com/go-glidepath/glidepath/internal/service"
)

// What the manager of services takes at the most, and what CreateProcess does, each without
// the NUL at the end. The manager takes a command line that CreateProcess then refuses.
// https://learn.microsoft.com/openspecs/windows_protocols/ms-scmr/2fee6fe1-c24c-4dfd-9d1c-d2ba4ceea7a0
// https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-createprocessw
// https://learn.microsoft.com/windows/win32/procthread/environment-variables
const (
	longestLine        = 32767 - 1 // letters
	longestVariable    = 32767 - 1 // letters, with its name
	longestDescription = 8<<10 - 1 // letters
	longestList        = 4 << 10   // bytes of the dependencies, and of the privileges, with all NULs
)

func letters(s string) int { return len(utf16.Encode([]rune(s))) }

// fits fails for settings that are longer than Windows allows, or would be others than they
// say.
func (w settings) fits(s service.Spec) error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("%w: "+format, append([]any{service.ErrSpec}, args...)...)
	}
	if n := letters(w.ImagePath); n > longestLine {
		return wrong("the command line, which is Executable and Arguments with quotes, has %d letters: Windows starts nothing with more than %d", n, longestLine)
	}
	if n := letters(w.Description); n > longestDescription {
		return wrong("Description has %d letters: Windows allows %d", n, longestDescription)
	}
	for _, f := range []struct{ field, value string }{{"DisplayName", w.DisplayName}, {"Description", w.Description}} {
		if strings.HasPrefix(f.value, "@") {
			return wrong("%s is %q: Windows takes what begins with @ for the name of a file with the text in it; let it begin with something else", f.field, f.value)
		}
	}
	for _, f := range []struct {
		field string
		list  []string
	}{{"Dependencies", w.Dependencies}, {"Hardening.Capabilities", w.Privileges}} {
		bytes := 2
		for _, name := range f.list {
			bytes += 2 * (letters(name) + 1)
		}
		if bytes > longestList {
			return wrong("%s have %d bytes: Windows allows %d", f.field, bytes, longestList)
		}
	}
	for _, name := range s.Needs {
		if strings.EqualFold(name, s.ServiceName()) {
			return wrong("Dependencies has the service itself, %s: Windows does not tell %s from it", name, s.ServiceName())
		}
	}
	return checkEnvironment(s, w.Environment)
}

// checkEnvironment has names without their case, as Windows does.
func checkEnvironment(s service.Spec, all []string) error {
	had := map[string]string{}
	for _, v := range service.Vars(s.Environment) {
		key := strings.ToUpper(v.Name)
		if service.Reserved(key) {
			return fmt.Errorf("%w: Environment has %s, which is the manager's to set: Windows does not tell it from %s", service.ErrSpec, v.Name, key)
		}
		if other, ok := had[key]; ok {
			return fmt.Errorf("%w: Environment has %s and %s, which are one variable of Windows", service.ErrSpec, other, v.Name)
		}
		had[key] = v.Name
	}
	for _, v := range all {
		if n := letters(v); n > longestVariable {
			name, _, _ := strings.Cut(v, "=")
			return fmt.Errorf("%w: Environment[%s] has %d letters with its name: Windows allows %d", service.ErrSpec, name, n, longestVariable)
		}
	}
	return nil
}
