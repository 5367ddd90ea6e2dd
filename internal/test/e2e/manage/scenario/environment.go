//go:build linux

package scenario

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/envfile"
	"github.com/go-glidepath/glidepath/internal/service/system/shell"
	"github.com/go-glidepath/glidepath/internal/test/e2e/manage/talk"
)

// variables is an environment file in which little is as it looks.
const variables = `# V_0=comment \
V_1=one
; V_0=comment
  V_2 =  two words  ` + `
V_3="a \"b\" \\ \$c \d" 'e\f' g
V_4=a"b"'c'
V_5=a\b\ \\\$\"
V_6=a \
 b
V_7="a
b\
c"
V_8='$(touch /tmp/run)` + "`touch /tmp/run`" + `'
V_9=$HOME=%h%%
if true; then
V_10=
fi
V_11=first
V_11=ü
V_12=a # b
V-13=no
STAGE=of the file
`

// write makes a file in the machine, root's and for all to read.
func (s *Service) write(file, text string) {
	s.t.Helper()
	script := `umask 022; mkdir -p "${1%/*}" && printf %s "$2" > "$1"`
	if out := s.bed.Exec(s.t, Admin, nil, "/bin/sh", "-c", script, "sh", file, text); out.Code != 0 {
		s.t.Fatalf("write %s: %s", file, out.Stderr)
	}
}

// environmentFile has a service read variables from a file, as systemd does it: elsewhere
// the service itself is to do the same.
func environmentFile(t *testing.T, b Bed) {
	name := NewName()
	file := "/opt/" + name + "/variables"
	s := New(t, b, talk.Setup{
		Name: name, EnvironmentFile: "-" + file, Environment: map[string]string{"STAGE": "of the environment"},
	})
	s.Do(0, "install", "--now")
	if got := s.Given().Env["STAGE"]; got != "of the environment" {
		t.Errorf("without the file STAGE is %q", got)
	}
	s.write(file, variables)
	s.Do(0, "restart")
	want := map[string]string{}
	vars, _ := envfile.Parse(variables)
	for _, v := range vars {
		want[v.Name] = v.Value
	}
	env := s.Given().Env
	for name, value := range env {
		if strings.HasPrefix(name, "V_") && want[name] == "" && value != "" {
			t.Errorf("%s=%q should not be there", name, value)
		}
	}
	for name, value := range want {
		if got, ok := env[name]; !ok || got != value {
			t.Errorf("%s has become %q (there: %t), want %q", name, got, ok, value)
		}
	}
	if _, ok := env[envfile.Variable]; ok {
		t.Errorf("the program finds %s in its environment", envfile.Variable)
	}
	if out := b.Exec(t, Admin, nil, "/bin/sh", "-c", "test -e /tmp/run"); out.Code == 0 {
		t.Error("what stands in the file was run")
	}
	s.hasNothingToDo(s.Do(0, "install"))
	if out := b.Exec(t, Admin, nil, "chmod", "666", file); out.Code != 0 {
		t.Fatal(out.Stderr)
	}
	said := s.Do(1, "install")
	if want := fmt.Sprintf("EnvironmentFile is %s: everybody can write to %s (mode 0666): other users can write there", file, file); !strings.Contains(said, want) {
		t.Errorf("of a file that everybody can write it says\n%swant %q", said, want)
	}
	s.Do(0, "uninstall", "--purge")
}

// keptFile has a service of kardianos/service with variables in a file be replaced.
func keptFile(t *testing.T, b Bed) {
	s := New(t, b, talk.Setup{})
	file := "/etc/sysconfig/" + s.Name
	s.write(file, "KEPT='a b'\n")
	t.Cleanup(func() { b.Exec(t, Admin, nil, "rm", "-f", file) })
	if out := b.Exec(t, Admin, nil, b.Old(), s.Name, "install"); out.Code != 0 {
		t.Fatalf("install of the old service: %s", shell.Quote(out.Stderr))
	}
	said := s.Do(0, "install")
	if want := "warning: EnvironmentFile: -" + file + " stays"; b.Can().Sysconfig && !strings.Contains(said, want) {
		t.Errorf("install says\n%swant %q", said, want)
	}
	s.Do(0, "restart")
	for range 2 {
		want := ""
		if b.Can().Sysconfig {
			want = "a b"
		}
		if got := s.Given().Env["KEPT"]; got != want {
			t.Errorf("KEPT is %q, want %q", got, want)
		}
		s.hasNothingToDo(s.Do(0, "install"))
		s.Do(0, "restart")
	}
	s.Do(0, "uninstall", "--purge")
}
