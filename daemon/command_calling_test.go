package daemon

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

func TestCallable_IsThePathIfTheNameLeadsElsewhere(t *testing.T) {
	dir := t.TempDir()
	file, other := filepath.Join(dir, "web"), filepath.Join(dir, "other")
	for _, f := range []string{file, other} {
		if err := os.WriteFile(f, nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct{ name, found, want string }{
		{"web", file, "web"},
		{"web", other, file}, // PATH has another program of that name before it
		{"web", "", file},
		{"./web", "", "./web"},
		{"../bin/web", other, "../bin/web"},
		{file, "", file},
	} {
		t.Run(test.name+" finds "+filepath.Base(test.found), func(t *testing.T) {
			look := func(string) (string, error) {
				if test.found == "" {
					return "", errors.Join(fs.ErrNotExist)
				}
				return test.found, nil
			}
			if got := callable(test.name, file, look); got != test.want {
				t.Errorf("%s, which is %q in PATH: %s, want %s", test.name, test.found, got, test.want)
			}
		})
	}
}

func TestCall_TemplateNeedsAnInstance(t *testing.T) {
	s := newShell(t)
	s.config.Service.Template = true
	if _, out, _ := s.call("install"); !strings.Contains(out, "install and start an instance with: "+programName()+" install --instance NAME --now\n") {
		t.Errorf("install of the template:\n%s", out)
	}
	if _, out, _ := s.call("install --instance a"); !strings.Contains(out, "start it now with: "+programName()+" start --instance a\n") {
		t.Errorf("install of an instance:\n%s", out)
	}
	s.manager.status = service.Status{State: service.Failed, ExitCode: 1}
	if _, out, _ := s.call("doctor"); !strings.Contains(out, ": "+programName()+" logs --instance NAME\n") {
		t.Errorf("doctor of the template:\n%s", out)
	}
}

func TestElsewhere_ServiceOfTheOtherKindIsFound(t *testing.T) {
	for _, test := range []struct{ line, want string }{
		{"status", "web: it is a per-user service: web status --user\n"},
		{"start", "web: start web: the service is not installed: it is a per-user service: web start --user\n"},
		{"doctor", "PROBLEM  state: not installed\n         -> it is a per-user service: web doctor --user\n"},
		{"status --user", ""},
	} {
		t.Run(test.line, func(t *testing.T) {
			s := newShell(t)
			s.manager.err = service.ErrNotInstalled
			s.users = &register{installed: &manage.Spec{}, status: service.Status{State: service.Running, PID: 42}}
			_, out, err := s.call(test.line)
			if got := strings.ReplaceAll(out+err, programName(), "web"); !strings.Contains(got, test.want) || test.want == "" && strings.Contains(got, "it is a per-user service") {
				t.Errorf("%s: want %s in\n%s", test.line, test.want, got)
			}
		})
	}
}
