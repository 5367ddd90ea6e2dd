package daemon

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/service"
)

func TestACommandIsSuggestedAsItHasToBeTyped(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the quotes are those of another shell")
	}
	root := calling{program: "./web", whole: "./web"}
	bob := calling{program: "web", whole: "/home/bob/bin/web", sudo: "sudo "}
	for _, test := range []struct {
		calling calling
		under   []string
		config  Service
		name    string
		o       options
		own     []string
		want    string
	}{
		{calling: root, name: "start", want: "./web start"},
		{calling: calling{program: "/opt/my web/web"}, name: "start", want: "'/opt/my web/web' start"},
		{calling: bob, name: "start", want: "sudo /home/bob/bin/web start"},
		{calling: bob, name: "status", want: "web status"},
		{calling: bob, name: "start", o: options{user: true}, want: "web start --user"},
		{calling: bob, name: "start", config: Service{User: true}, want: "web start"},
		{calling: bob, name: "restart", o: options{instance: "a"}, want: "sudo /home/bob/bin/web restart --instance a"},
		{calling: root, name: "install", own: []string{"-title", "a b"}, want: "./web -title 'a b' install"},
		{calling: bob, under: []string{"--addr", ":1 2", "service"}, name: "stop", want: "sudo /home/bob/bin/web --addr ':1 2' service stop"},
	} {
		c := commandLine{config: Config{Name: "web", Service: test.config}, calling: test.calling, under: test.under}
		if got := c.call(test.name, test.o, test.own...); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}

func TestANameThatLeadsElsewhereIsNotSuggested(t *testing.T) {
	dir := t.TempDir()
	file, other := filepath.Join(dir, "web"), filepath.Join(dir, "other")
	for _, f := range []string{file, other} {
		if err := os.WriteFile(f, nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct{ name, found, want string }{
		{"web", file, "web"},
		{"web", other, file}, // another program of that name comes first in PATH
		{"web", "", file},
		{"./web", "", "./web"},
		{"../bin/web", other, "../bin/web"},
		{file, "", file},
	} {
		look := func(string) (string, error) {
			if test.found == "" {
				return "", errors.Join(fs.ErrNotExist)
			}
			return test.found, nil
		}
		if got := callable(test.name, file, look); got != test.want {
			t.Errorf("%s, which is %q in PATH: %s, want %s", test.name, test.found, got, test.want)
		}
	}
}

func TestACommandForATemplateNamesAnInstance(t *testing.T) {
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

func TestAServiceOfTheOtherKindIsFound(t *testing.T) {
	for _, test := range []struct{ line, want string }{
		{"status", "web: it is a service of the user: web status --user\n"},
		{"start", "web: start web: the service is not installed: it is a service of the user: web start --user\n"},
		{"doctor", "PROBLEM  state: not installed\n         -> it is a service of the user: web doctor --user\n"},
		{"status --user", ""},
	} {
		s := newShell(t)
		s.manager.err = service.ErrNotInstalled
		s.users = &register{installed: &service.Spec{}, status: service.Status{State: service.Running, PID: 42}}
		_, out, err := s.call(test.line)
		if got := strings.ReplaceAll(out+err, programName(), "web"); !strings.Contains(got, test.want) || test.want == "" && strings.Contains(got, "it is a service") {
			t.Errorf("%s: want %s in\n%s", test.line, test.want, got)
		}
	}
}
