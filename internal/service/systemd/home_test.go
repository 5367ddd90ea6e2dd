//go:build unix

package systemd

import (
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

func TestRender_HomeOfDynamicUserIsStateFolder(t *testing.T) {
	const home = "Environment=HOME="
	for name, test := range map[string]struct {
		change func(s *manage.Spec)
		want   string // "" if systemd, or the program, sets it
	}{
		"a dynamic user":        {func(*manage.Spec) {}, home + "/var/lib/web\n"},
		"an instance":           {func(s *manage.Spec) { s.Template, s.Instance = true, "a" }, home + "/var/lib/web/%i\n"},
		"without a sandbox":     {func(s *manage.Spec) { s.Hardening.Profile = service.Unconfined }, home + "/var/lib/web\n"},
		"one that is asked for": {func(s *manage.Spec) { s.Environment = map[string]string{"HOME": "/srv"} }, home + "/srv\n"},
		"an account":            {func(s *manage.Spec) { s.Account = "bob" }, ""},
		"root":                  {func(s *manage.Spec) { s.Account = "root" }, ""},
		"a user":                {func(s *manage.Spec) { s.User = true }, ""},
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
