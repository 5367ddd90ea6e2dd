package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/daemon/service"
)

type idle struct{ err error }

func (p idle) Start(context.Context) error { return p.err }
func (idle) Stop(context.Context) error    { return nil }

func TestMain_ExitCodeAndOutput(t *testing.T) {
	config := Config{Name: "web", Version: "v1.2.3", Description: "serves"}
	unnamed := config
	unnamed.Name = ""
	parsed := config
	parsed.Args = []string{"-addr"}
	for _, test := range []struct {
		args     string
		config   Config
		code     int
		out, err string // what they contain; "" for nothing at all
	}{
		{"version", config, 0, "web v1.2.3 (" + runtime.Version() + ", " + runtime.GOOS + "/" + runtime.GOARCH + ")\n", ""},
		{"--version", config, 0, "web v1.2.3 ", ""},
		{"help", config, 0, "web: serves\n\nUsage: ", ""},
		{"-h", config, 0, "  version    print the version\n", ""},
		{"--help", config, 0, "  install    install the service", ""},
		{"install --help", config, 0, "  --instance NAME  the instance of a template\n", ""},
		{"logs -h", config, 0, "  -n LINES", ""},
		{"instal", config, 2, "", `"instal" is not a command; did you mean '` + programName() + ` install'?`},
		{"deploy", config, 2, "", `"deploy" is not a command; '`},
		{"help install", config, 0, "  --dry-run        print what would be", ""},
		{"help instal", config, 2, "", `"instal" is not a command; did you mean '`},
		{"help install --now", config, 2, "", `help takes no arguments, but got ["install" "--now"]`},
		{"-h install", config, 0, "  --dry-run        print what would be", ""},
		{"start install", config, 2, "", `start takes only flags, but got "install"; --help lists them`},
		{"install --instance=", config, 2, "", "install: --instance: want the name of an instance, but got none"},
		{"version 2", config, 2, "", `version takes no arguments, but got ["2"]`},
		{"status now", config, 2, "", `status takes only flags, but got "now"`},
		{"status --jsn", config, 2, "", `status has no flag --jsn`},
		{"status --json=1", config, 2, "", `status: the flag --json takes no value, but got "1"`},
		{"logs -n", config, 2, "", `logs: the flag -n needs a value: LINES`},
		{"logs -n many", config, 2, "", `logs: -n: want a number of lines, but got "many"`},
		{"install --instance a", config, 2, "", `--instance: the service is not a template`},
		{"-addr", parsed, 2, "", "-addr is not a flag here; the program's own flags go before the command"},
		{"run", unnamed, 78, "", "the configuration is wrong: Config.Name is empty"},
		{"", unnamed, 78, "", "the configuration is wrong: Config.Name is empty"},
		{"--foo", config, 2, "", "--foo is not a flag of this program; '" + programName() + " help' lists its commands"},
		{"--foo install", config, 2, "", "--foo is not a flag of this program"},
		{"--dry-run install", config, 2, "", "--dry-run is a flag of a command and goes after it; '" + programName() + " help COMMAND' lists the flags"},
		{"--user start", config, 2, "", "--user is a flag of a command"},
		{"foo install", config, 2, "", `"foo" is not a command`},
		{"-addr :80", unnamed, 78, "", "the configuration is wrong: Config.Name is empty"},
		{"install", unnamed, 78, "", "the configuration is wrong: Config.Name is empty"},
	} {
		t.Run(test.args, func(t *testing.T) {
			var out, err bytes.Buffer
			c := commandLine{program: idle{}, config: test.config, out: &out, err: &err, manage: Manage, flags: ownFlags()}
			if code := c.main(t.Context(), strings.Fields(test.args)); code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			for name, s := range map[string][2]string{"output": {out.String(), test.out}, "errors": {err.String(), test.err}} {
				if !strings.Contains(s[0], s[1]) || s[1] == "" && s[0] != "" {
					t.Errorf("%s: got %q, want %q", name, s[0], s[1])
				}
			}
			if lines := strings.Count(err.String(), "\n"); lines > 1 {
				t.Errorf("%d lines of errors", lines)
			}
		})
	}
}

func TestMain_FlagsBeforeTheCommandAreTheServices(t *testing.T) {
	for _, test := range []struct {
		line, rest string // the command line, and what the program's own parser has left of it; "-" if it has none
		own        string
		verb       string // "" for a run
	}{
		{"install", "-", "", "install"},
		{"install --now", "-", "", "install"},
		{"-addr :9090 install --now", "-", "-addr :9090", "install"},
		{"-mode run install", "-", "-mode run", "install"},
		{"-addr :9090", "-", "", ""},
		{"", "-", "", ""},
		{"-addr :9090 install --now", "install --now", "-addr :9090", "install"},
		{"-mode install install", "install", "-mode install", "install"},
		{"-mode run -- install", "install", "-mode run --", "install"},
		{"-mode install", "", "-mode install", ""},
		{"install", "install", "", "install"},
	} {
		t.Run(test.line, func(t *testing.T) {
			config := Config{Name: "web"}
			if test.rest != "-" {
				config.Args = append([]string{}, strings.Fields(test.rest)...)
			}
			ran := errors.New("it ran")
			asked := ""
			c := commandLine{
				program: idle{ran}, flags: ownFlags(), out: io.Discard, err: io.Discard, config: config,
				manage: func(_ Program, _ Config, args ...string) (*Handle, error) {
					asked = strings.Join(args, " ")
					return nil, service.ErrNotSupported
				},
			}
			c.config.Host, c.config.Logger = HostConsole, zap.NewNop()
			code := c.main(t.Context(), strings.Fields(test.line))
			if test.verb == "" {
				if code != exitFailure {
					t.Errorf("it did not run: exit code %d", code)
				}
				return
			}
			if code != 3 || asked != test.own {
				t.Errorf("exit code %d, the service would be run with %q", code, asked)
			}
		})
	}
}

func TestInstall_RefusesFlagsAfterTheCommand(t *testing.T) {
	var err bytes.Buffer
	c := commandLine{program: idle{}, out: io.Discard, err: &err, config: Config{Name: "web", Args: []string{"install"}}}
	if code := c.main(t.Context(), []string{"install", "-addr", ":9090"}); code != 2 || !strings.Contains(err.String(), "want the program's own flags before the command") {
		t.Errorf("exit code %d, %s", code, &err)
	}
}

func TestExitCode_FollowsTheError(t *testing.T) {
	boom := errors.New("boom")
	forced := forcedError{signal: 15, name: "SIGTERM"}
	for _, test := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{boom, 1},
		{context.DeadlineExceeded, 1},
		{ErrConfig, 78},
		{fmt.Errorf("port: %w", ErrConfig), 78},
		{errors.Join(boom, ErrConfig), 78},
		{ErrStopTimeout, 124},
		{errors.Join(ErrConfig, ErrStopTimeout), 124},
		{forced, 143},
		{errors.Join(boom, ErrStopTimeout, forced), 143},
	} {
		t.Run(fmt.Sprint(test.err), func(t *testing.T) {
			if got := ExitCode(test.err); got != test.want {
				t.Errorf("%v: got %d, want %d", test.err, got, test.want)
			}
		})
	}
}
