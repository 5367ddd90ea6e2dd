//go:build unix

package systemd

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// TestRuntimeFolder_LeavesSocketsOutside keeps sockets out of the folder that systemd removes
// at each stop, while it still listens at them.
func TestRuntimeFolder_LeavesSocketsOutside(t *testing.T) {
	for address, want := range map[string]struct{ machine, user, template string }{
		"/run/web.sock":                   {"web", "web", "web/%i"},
		"/run/webs/http.sock":             {"web", "web", "web/%i"},
		"/run/web/http.sock":              {"web/service", "web", "web/%i"},
		"/run/web/a/http.sock":            {"web/service", "web", "web/%i/service"},
		"/var/run/web/http.sock":          {"web/service", "web", "web/%i"},
		"/run/user/1000/web/http.sock":    {"web", "web/service", "web/%i"},
		"/run/user/1000/webs/http.sock":   {"web", "web", "web/%i"},
		"/run/user/1000/x/web/http.sock":  {"web", "web", "web/%i"},
		"/run/web/service/http.sock":      {"", "web", "web/%i/service"},
		"/run/web/service":                {"", "web", "web/%i"},
		"/run/web/services/http.sock":     {"web/service", "web", "web/%i/service"},
		"/run/web/a/service/http.sock":    {"web/service", "web", ""},
		"/run/user/7/web/service/my.sock": {"web", "", "web/%i"},
	} {
		socket := func(s *manage.Spec) {
			s.Sockets = []service.Socket{{Name: "http", Network: "unix", Address: address}}
		}
		for _, c := range []struct {
			kind string
			spec manage.Spec
			want string
		}{{"machine", web(socket), want.machine}, {"user", web(socket, ofUser), want.user}, {"template", web(template, socket), want.template}} {
			units, _, err := Render(c.spec, 257, c.spec.Executable)
			if c.want == "" {
				if !errors.Is(err, manage.ErrConfig) || !strings.Contains(err.Error(), "removes") {
					t.Errorf("%s of a %s: %v, want a refusal", address, c.kind, err)
				}
				continue
			}
			if err != nil || !strings.Contains(units[0].Text, "\nRuntimeDirectory="+c.want+"\n") {
				t.Errorf("%s of a %s: want RuntimeDirectory=%s, got %v\n%s", address, c.kind, c.want, err, units[0].Text)
			}
		}
	}
	s := web(func(s *manage.Spec) {
		s.Sockets = []service.Socket{{Name: "u", Network: "unix", Address: "/run/web/service/x.sock"}}
	})
	const want = `the configuration is wrong: Sockets.u is "/run/web/service/x.sock": systemd removes /run/web/service each time the service stops; use a path outside of it, such as /run/web/x.sock`
	if _, _, err := Render(s, 257, s.Executable); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
