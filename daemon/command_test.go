package daemon

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// mount returns the mounted commands of a service that runs with an address.
func mount(t *testing.T, m *register, addr *string, line string) (all map[string]Command, out, err *bytes.Buffer) {
	out, err = &bytes.Buffer{}, &bytes.Buffer{}
	s := newShell(t)
	s.manager = m
	cli := commandLine{program: idle{}, out: out, err: err, manage: s.manage}
	config := func() Config {
		return Config{Name: "web", Service: service.Config{Arguments: []string{"--addr", *addr, "serve"}}}
	}
	all = map[string]Command{}
	for _, c := range commands(cli, config, strings.Fields(line)) {
		all[c.Name] = c
	}
	return all, out, err
}

func TestCommands_SeeTheFlagsOfTheProgram(t *testing.T) {
	m := &register{status: service.Status{State: service.NotInstalled}}
	addr := ":80"
	all, out, errs := mount(t, m, &addr, "web --addr :9090 service install")
	addr = ":9090" // the program reads its flags after it has mounted the commands
	if code := all["install"].Run(t.Context(), nil); code != 0 {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	if want := []string{"--addr", ":9090", "serve"}; !slices.Equal(m.installed.Arguments, want) {
		t.Errorf("the service is started with %q, want %q", m.installed.Arguments, want)
	}
	if want := "start it now with: " + programName() + " --addr :9090 service start\n"; !strings.Contains(out.String(), want) {
		t.Errorf("got %q, want %q", out, want)
	}
}

func TestCommands_FlagsCanBeParsedByALibrary(t *testing.T) {
	m := &register{log: "a\n", installed: &manage.Spec{}, status: service.Status{State: service.Stopped}}
	addr := ""
	all, out, errs := mount(t, m, &addr, "web service logs -n 7 -g a")
	logs := all["logs"]
	if err := logs.Flags.Parse([]string{"-n", "7", "-g", "a"}); err != nil {
		t.Fatal(err)
	}
	if code := logs.Run(t.Context(), nil); code != 0 || m.asked.Lines != 7 || m.asked.Match.String() != "a" {
		t.Errorf("exit code %d, %s%s", code, out, errs)
	}
	for _, wrong := range []string{"-n=many", "-f=false", "-x"} {
		if logs.Flags.Parse([]string{wrong}) == nil {
			t.Errorf("%s is taken", wrong)
		}
	}
}

func TestCommands_HelpShowsTheMountPath(t *testing.T) {
	for _, test := range []struct{ command, args, line, want string }{
		{"help", "", "web service help", "Usage: PROGRAM service command [command flags]\n\nCommands (PROGRAM service help COMMAND lists the flags of a command):\n  install "},
		{"help", "install", "web service help install", "PROGRAM service install: install the service"},
		{"install", "--help", "web service install --help", "PROGRAM service install: install the service"},
		{"help", "run", "web service help run", `PROGRAM: "run" is not a command; 'PROGRAM service help' lists them`},
	} {
		t.Run(test.line, func(t *testing.T) {
			addr := ""
			all, out, errs := mount(t, &register{}, &addr, test.line)
			all[test.command].Run(t.Context(), strings.Fields(test.args))
			want := strings.ReplaceAll(test.want, "PROGRAM", programName())
			if got := out.String() + errs.String(); !strings.Contains(got, want) || strings.Contains(got, "\n  run ") {
				t.Errorf("%s: got\n%s\nwant %s", test.line, got, want)
			}
		})
	}
}

func TestFindMountPath_IsWhatTheOperatorTyped(t *testing.T) {
	for _, test := range []struct{ line, args, want string }{
		{"/opt/web service install --now", "--now", "service"},
		{"/opt/web service install --now", "", "service"}, // a library has parsed the flags
		{"/opt/web --addr install service install --now", "", "--addr install service"},
		{"/opt/web --addr=install service install", "", "--addr=install service"},
		{"web install", "", ""},
		{"web -v install", "", "-v"},
		{"web -v admin service install", "", "-v admin service"},
		{"web service", "-y", ""}, // not the command of the line
	} {
		t.Run(test.line+", "+test.args, func(t *testing.T) {
			if got := strings.Join(findMountPath(strings.Fields(test.line), "install", strings.Fields(test.args)), " "); got != test.want {
				t.Errorf("%s: %q", test.line, got)
			}
		})
	}
	c := commandLine{mountPath: []string{"service"}}
	if got := c.call("start", options{user: true}); got != programName()+" service start --user" {
		t.Error(got)
	}
}

func TestCommands_HaveNameSummaryAndRun(t *testing.T) {
	names := map[string]bool{}
	for _, c := range Commands(idle{}, func() Config { return Config{} }) {
		names[c.Name] = true
		if c.Summary == "" {
			t.Errorf("%s does not say what it does", c.Name)
		}
		if c.Name != "version" && c.Name != "help" && c.Run(t.Context(), nil) == 0 {
			t.Errorf("%s has worked without a name", c.Name)
		}
	}
	if len(names) != len(verbs())-1 || names["run"] || !names["help"] {
		t.Errorf("there are %v", names)
	}
}
