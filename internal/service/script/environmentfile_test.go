//go:build unix

package script

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/test/initfake"
	"github.com/go-glidepath/glidepath/internal/test/managertest"
)

func TestCheck_RefusesAnEnvironmentFileThatTheInitRunsAsRoot(t *testing.T) {
	openrc := newOpenRCDouble(initfake.New(t))
	rcd, _ := newRCDDouble(t)
	for _, c := range []struct {
		m       *Manager
		file    string
		refused bool
	}{
		{openrc, "/etc/conf.d/web", true},
		{openrc, "-/etc/conf.d/web", true},
		{openrc, "-/etc/../etc//conf.d/./web", true},
		{openrc, "/etc/conf.d/web.boot", true},
		{openrc, "/etc/rc.conf", true},
		{openrc, "/etc/rc.conf.d/web.conf", true},
		{openrc, "-/etc/conf.d/website", false},
		{openrc, "-/etc/default/web", false},
		{openrc, "-/etc/rc.conf.d/web", false},
		{openrc, "", false},
		{rcd, "/etc/rc.conf.d/my_web", true},
		{rcd, "-/etc/rc.conf.d/my_web/environment", true},
		{rcd, "-/usr/local/etc/rc.conf.d/my_web", true},
		{rcd, "/etc/rc.conf", true},
		{rcd, "/etc/rc.conf.local", true},
		{rcd, "/etc/defaults/rc.conf", true},
		{rcd, "-/etc/rc.conf.d/web", false},
		{rcd, "-/etc/conf.d/my_web", false},
		{rcd, "", false},
	} {
		s := managertest.Plain()
		if c.m == rcd {
			s.Name = "my-web"
		}
		s.EnvironmentFile = c.file
		_, err := c.m.Plan(t.Context(), s, false)
		if refused := errors.Is(err, manage.ErrConfig); refused != c.refused {
			t.Errorf("%s, EnvironmentFile %q: %v", c.m.Name(), c.file, err)
			continue
		}
		if c.refused && !strings.Contains(err.Error(), ", which "+c.m.Name()+" runs as root, as a shell script: choose another path, for example /etc/"+s.Name+".env") {
			t.Errorf("%s, EnvironmentFile %q: %v names no reason", c.m.Name(), c.file, err)
		}
	}
	s := initfake.Web()
	s.Template, s.Instance = true, "blue"
	for file, refused := range map[string]bool{"/etc/conf.d/web": true, "/etc/conf.d/web.blue": true, "-/etc/conf.d/web.blue.boot": true, "/etc/conf.d/blue": false} {
		s.EnvironmentFile = file
		if err := openrc.check(s); errors.Is(err, manage.ErrConfig) != refused {
			t.Errorf("an instance with %s: %v", file, err)
		}
	}
}

func TestSysVScript_DoesNotSourceEnvironmentFile(t *testing.T) {
	for file, sourced := range map[string]bool{
		"": true, "/etc/default/website": true, "-/etc/sysconfig/web": true,
		"/etc/default/web": false, "-/etc/default/web": false, "-/etc//default/./web": false,
	} {
		s := initfake.Web()
		s.EnvironmentFile = file
		text := sysvScript(s, initOwner(s))
		if got := strings.Contains(text, `. "/etc/default/$name"`); got != sourced {
			t.Errorf("EnvironmentFile %q: the script sources /etc/default/web: %t\n%s", file, got, text)
		}
		if got := strings.Contains(text, "# /etc/default/web stays as it is: the service gets what it exports.\n"); got != sourced {
			t.Errorf("EnvironmentFile %q: the script says otherwise:\n%s", file, text)
		}
		if got := strings.Contains(text, "export SERVICE_ENVIRONMENT_FILE="); got != (file != "") {
			t.Errorf("EnvironmentFile %q: the program reads it: %t", file, got)
		}
	}
	s := initfake.Web()
	s.Template, s.Instance, s.EnvironmentFile = true, "blue", "-/etc/default/web.blue"
	if text := sysvScript(s, initOwner(s)); strings.Contains(text, `. "/etc/default/$name"`) {
		t.Errorf("an instance sources its EnvironmentFile:\n%s", text)
	}
}
