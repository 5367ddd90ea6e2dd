package winsvc

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// TestFits_RefusesWhatWindowsDoesNotTake tests both sides of each limit.
func TestFits_RefusesWhatWindowsDoesNotTake(t *testing.T) {
	x := func(length int) string { return strings.Repeat("x", length) }
	executable := web().Executable
	left := 32766 - len(`"`+executable+`" `)
	environment := func(vars ...string) func(*manage.Spec) {
		return func(s *manage.Spec) {
			s.Environment = map[string]string{}
			for i := 0; i < len(vars); i += 2 {
				s.Environment[vars[i]] = vars[i+1]
			}
		}
	}
	args := func(args ...string) func(*manage.Spec) { return func(s *manage.Spec) { s.Arguments = args } }
	line := func(n int) string {
		return fmt.Sprintf("the command line (Executable and Arguments with quotes) has %d characters: Windows allows 32766", n)
	}
	for _, c := range []struct {
		name string
		spec func(*manage.Spec)
		want string
	}{
		{"the longest line", args(x(left)), ""},
		{"a letter more", args(x(left + 1)), line(32767)},
		{"quotes", args(x(left-2) + " "), line(32767)},
		{"a letter of two units", args(strings.Repeat("😀", left/2)), ""},
		{"too many of two units", args(strings.Repeat("😀", left/2) + x(left%2+1)), line(32767)},
		{"backslashes before quotes", args(strings.Repeat(`\"`, left/4+1)), line(32766 - left + 4*(left/4+1) + 2)},
		{"the longest variable", environment("A", x(32764)), ""},
		{"a variable that is longer", environment("A", x(32765)), "Environment[A] has 32767 characters, including its name: Windows allows 32766"},
		{"a variable twice", environment("PATH", "a", "Path", "b"), "Environment has PATH and Path, which are the same variable to Windows"},
		{"a folder", environment("state_directory", "a"), "Environment has state_directory: to Windows, that is STATE_DIRECTORY, which is set by the manager"},
		{"the longest description", func(s *manage.Spec) { s.Description = x(8191) }, ""},
		{"a description that is longer", func(s *manage.Spec) { s.Description = x(8192) }, "Description has 8192 characters: Windows allows 8191"},
		{"an indirect description", func(s *manage.Spec) { s.Description = `@C:\x.dll,-1` }, `Description is "@C:\\x.dll,-1": it must not begin with @, which to Windows means that the text is in a file`},
		{"an indirect name", func(s *manage.Spec) { s.DisplayName = "@web" }, `DisplayName is "@web": it must not begin with @, which to Windows means that the text is in a file`},
		{"an @ further on", func(s *manage.Spec) { s.DisplayName, s.Description = "web @ home", " @" }, ""},
		{"itself", func(s *manage.Spec) { s.Dependencies = []string{"WEB"} }, "Dependencies contains the service itself: to Windows, WEB and web are the same name"},
		{"the most dependencies", many(20), ""},
		{"more dependencies", many(21), "Dependencies has 4286 bytes: Windows allows 4096"},
		{"privileges", func(s *manage.Spec) {
			s.Hardening.Capabilities = []string{"Se" + x(1000), "Se" + x(1100)}
		}, "Hardening.Capabilities has 4262 bytes: Windows allows 4096"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := refusal(t, c.spec); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// many returns a change to n dependencies of 204 bytes each, with the NUL.
func many(n int) func(*manage.Spec) {
	return func(s *manage.Spec) {
		s.Dependencies, s.Windows.Dependencies = nil, nil
		for i := range n {
			s.Windows.Dependencies = append(s.Windows.Dependencies, fmt.Sprintf("%0101d", i))
		}
	}
}

// refusal returns why a changed specification is refused, or "".
func refusal(t *testing.T, change func(*manage.Spec)) string {
	t.Helper()
	m, _ := newManager(t)
	s := web()
	change(&s)
	_, err := m.Plan(t.Context(), s, false)
	if err == nil {
		return ""
	}
	if !errors.Is(err, manage.ErrConfig) {
		t.Errorf("got %v, want service.ErrConfig", err)
	}
	return strings.TrimPrefix(err.Error(), manage.ErrConfig.Error()+": ")
}
