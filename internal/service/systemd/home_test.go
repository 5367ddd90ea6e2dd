//go:build unix

package systemd

import (
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/service"
)

func TestRender_HomeOfDynamicUserIsStateFolder(t *testing.T) {
	const home = "Environment=HOME="
	for name, test := range map[string]struct {
		change func(s *service.Spec)
		want   string // "" if systemd, or the program, sets it
	}{
		"a dynamic user":        {func(*service.Spec) {}, home + "/var/lib/web\n"},
		"an instance":           {func(s *service.Spec) { s.Template, s.Instance = true, "a" }, home + "/var/lib/web/%i\n"},
		"without a sandbox":     {func(s *service.Spec) { s.Hardening.Profile = service.None }, home + "/var/lib/web\n"},
		"one that is asked for": {func(s *service.Spec) { s.Environment = map[string]string{"HOME": "/srv"} }, home + "/srv\n"},
		"an account":            {func(s *service.Spec) { s.Account = "bob" }, ""},
		"root":                  {func(s *service.Spec) { s.Account = "root" }, ""},
		"a user":                {func(s *service.Spec) { s.User = true }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := web(test.change)
			units, _, err := Render(s, 257, s.Executable)
			if err != nil {
				t.Fatal(err)
			}
			text := units[0].Text
			if n := strings.Count(text, home); test.want == "" && n > 0 || test.want != "" && (n != 1 || !strings.Contains(text, test.want)) {
				t.Errorf("%d of %s, want %q", n, home, test.want)
			}
		})
	}
}
