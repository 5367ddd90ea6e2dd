package systemd

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// plainValue returns a random value that Spec.Check accepts.
func plainValue(r *rand.Rand) string {
	for {
		if v := nastyText(r, ""); web(func(s *manage.Spec) { s.Arguments = []string{v} }).Check() == nil {
			return v
		}
	}
}

func TestInstall_RandomValuesArrive(t *testing.T) {
	m := inside(t, false)
	r := rand.New(rand.NewPCG(3, 4))
	for range 4 {
		i := echoService(t, m, func(s *manage.Spec) {
			s.Environment = map[string]string{}
			for n := range 100 {
				s.Arguments = append(s.Arguments, plainValue(r))
				s.Environment[fmt.Sprintf("V%d", n)] = plainValue(r)
			}
		})
		i.install()
		i.start()
		said := i.report()
		if want := append([]string{i.spec.Executable}, i.spec.Arguments...); !slices.Equal(said.Args, want) {
			t.Errorf("the arguments are\n%q, want\n%q", said.Args, want)
		}
		for name, want := range i.spec.Environment {
			if !slices.Contains(said.Environment, name+"="+want) {
				t.Errorf("%s=%q has not arrived", name, want)
			}
		}
		i.stop()
	}
}

// volatile is where units are until the machine restarts.
const volatile = "/run/systemd/system"

// TestRender_RandomValuesAreLoaded writes units with random values and lets systemd load them.
func TestRender_RandomValuesAreLoaded(t *testing.T) {
	m := inside(t, false)
	r := rand.New(rand.NewPCG(3, 4))
	for range 800 {
		plainValue(r) // TestInstall_RandomValuesArrive has had these
	}
	var described []*installed
	for n := range 200 {
		i := &installed{t, m, web(func(s *manage.Spec) {
			s.Name = fmt.Sprintf("described%d", n)
			s.Description = plainValue(r)
			s.WorkingDirectory = "/" + strings.Trim(plainValue(r), " \t/")
			s.Sockets = []service.Socket{{Name: "k", Network: "unix", Address: "/run/" + strings.TrimSpace(strings.ReplaceAll(plainValue(r), "/", ""))}}
		})}
		if i.spec.Check() != nil {
			continue
		}
		units, _, err := Render(i.spec, 257, i.spec.Executable)
		if err != nil {
			continue
		}
		for _, u := range units {
			writeIn(t, volatile+"/"+u.Name, u.Text)
		}
		described = append(described, i)
	}
	echoService(t, m).install() // makes systemd read all that
	for _, i := range described {
		i.checkLoadedValues()
	}
	if len(described) < 100 {
		t.Errorf("only %d were tried", len(described))
	}
}

// checkLoadedValues compares what systemd has loaded with the spec, and removes the units.
func (i *installed) checkLoadedValues() {
	t := i.t
	t.Helper()
	serv, err := machine.Show(t.Context(), i.spec.Name+".service", "Description", "WorkingDirectory", "LoadState")
	i.must(err)
	if want := strings.Trim(i.spec.Description, " \t"); serv["Description"] != want && want != "" {
		t.Errorf("the description is %q, want %q", serv["Description"], want)
	}
	if serv["WorkingDirectory"] != i.spec.WorkingDirectory || serv["LoadState"] != "loaded" {
		t.Errorf("the working directory is %q, want %q; the unit is %s", serv["WorkingDirectory"], i.spec.WorkingDirectory, serv["LoadState"])
	}
	sock, err := machine.Show(t.Context(), i.spec.Name+"-k.socket", "Listen", "Triggers")
	i.must(err)
	listen, err := strconv.Unquote(`"` + strings.ReplaceAll(sock["Listen"], `\'`, "'") + `"`) // systemctl has escaped it, as C does
	i.must(err)
	if want := i.spec.Sockets[0].Address + " (Stream)"; listen != want || sock["Triggers"] != i.spec.Name+".service" {
		t.Errorf("the socket is %q, want %q; it starts %s", listen, want, sock["Triggers"])
	}
	for _, u := range []string{serviceUnit(i.spec), socketUnit(i.spec, i.spec.Sockets[0])} {
		if err := os.Remove(machine.Path(volatile + "/" + u)); err != nil {
			t.Error(err)
		}
	}
}

func TestInstall_ArgumentsAndEnvironmentArriveUnchanged(t *testing.T) {
	args := []string{
		"a b", `c"d`, "e'f", "g%h", "i$j", `k\l`, "m\tn", "", ";", "{}", "é", "#x", "${HOME}", "$HOME", `\x41`, "-x", "=y", "* ? ~", `\`, `"`, "'", "%", "$", "$$",
		"%%", `\\`, `a\`, " leading", "trailing ", "@a", "+b", "!c", ":d", "|e", "\u00a0", "日本", "a;b", "(c)", "<d>", "&e", "`f`",
	}
	environment := map[string]string{}
	for n, a := range args {
		environment[fmt.Sprintf("V%d", n)] = a
	}
	for _, executable := range []string{
		"", "/opt/plain/echo", "/opt/we ird/é%n;#{}@!*?.bin", "/opt/we ird/a$HOME/x", `/opt/q"uo'te\x/echo`, `/opt/q"uo'te\x/$HOME %h`,
		"/home/tester/my bin/echo", "/root/$bin/echo", "/tmp/my tmp/echo", "/var/tmp/echo 1",
	} {
		for _, user := range []bool{false, true} {
			if user && strings.HasPrefix(executable, "/root") {
				continue
			}
			t.Run(fmt.Sprintf("%q, user %v", executable, user), func(t *testing.T) {
				t.Parallel()
				m := inside(t, user)
				if executable != "" {
					putProgram(t, "echo", executable)
				}
				i := echoService(t, m, func(s *manage.Spec) { s.Arguments, s.Environment = args, environment })
				if executable != "" {
					i.spec.Executable = executable
				}
				i.install()
				i.start()
				said := i.report()
				want := append([]string{i.spec.Executable}, args...)
				if fmt.Sprintf("%q", said.Args) != fmt.Sprintf("%q", want) {
					t.Errorf("the arguments are\n%q, want\n%q", said.Args, want)
				}
				got := map[string]string{}
				for _, e := range said.Environment {
					name, value, _ := strings.Cut(e, "=")
					got[name] = value
				}
				for name, value := range environment {
					t.Run(name, func(t *testing.T) {
						if got[name] != value {
							t.Errorf("%s is %q, want %q", name, got[name], value)
						}
					})
				}
			})
		}
	}
}
