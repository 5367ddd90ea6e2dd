package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

type idle struct{ err error }

func (p idle) Start(context.Context) error { return p.err }
func (idle) Stop(context.Context) error    { return nil }

func TestTheCommandLine(t *testing.T) {
	config := Config{Name: "web", Version: "v1.2.3", Description: "serves"}
	unnamed := config
	unnamed.Name = ""
	for _, test := range []struct {
		args     string
		config   Config
		code     int
		out, err string // what they contain; "" for nothing at all
	}{
		{"version", config, 0, "web v1.2.3 (" + runtime.Version() + ", " + runtime.GOOS + "/" + runtime.GOARCH + ")\n", ""},
		{"--version", config, 0, "web v1.2.3 ", ""},
		{"help", config, 0, "web: serves\n\nUsage: ", ""},
		{"-h", config, 0, "  version  print the version\n", ""},
		{"--help", config, 0, "Commands:\n  run ", ""},
		{"instal", config, 2, "", `"instal" is not a command; '`},
		{"version 2", config, 2, "", `version takes no arguments, but got ["2"]`},
		{"-addr", config, 2, "", "-addr is not a flag; flags of the program itself are given to Main by Config.Args"},
		{"run", unnamed, 78, "", "the configuration is wrong: Config.Name is empty"},
		{"", unnamed, 78, "", "the configuration is wrong: Config.Name is empty"},
	} {
		t.Run(test.args, func(t *testing.T) {
			var out, err bytes.Buffer
			c := commandLine{program: idle{}, config: test.config, args: strings.Fields(test.args), out: &out, err: &err}
			if code := c.execute(); code != test.code {
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

func TestExitCodes(t *testing.T) {
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
		if got := ExitCode(test.err); got != test.want {
			t.Errorf("%v: got %d, want %d", test.err, got, test.want)
		}
	}
}
