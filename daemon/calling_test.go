package daemon

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
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
