package daemon_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/daemon"
)

func TestRun_RefusesAWrongConfig(t *testing.T) {
	for _, test := range []struct {
		name   string
		config daemon.Config
		field  string
	}{
		{"no name", daemon.Config{}, "Config.Name"},
		{"a name with a slash", daemon.Config{Name: "a/b"}, "Config.Name"},
		{"a name with a space", daemon.Config{Name: "a b"}, "Config.Name"},
		{"a name with a newline", daemon.Config{Name: "a\nb"}, "Config.Name"},
		{"a name like a flag", daemon.Config{Name: "-rf"}, "Config.Name"},
		{"a name that is hidden", daemon.Config{Name: ".web"}, "Config.Name"},
		{"a name beyond ASCII", daemon.Config{Name: "wéb"}, "Config.Name"},
		{"a name that is too long", daemon.Config{Name: strings.Repeat("x", 201)}, "Config.Name"},
		{"a negative start timeout", daemon.Config{Name: "x", StartTimeout: -1}, "Config.StartTimeout"},
		{"a negative stop timeout", daemon.Config{Name: "x", StopTimeout: -1}, "Config.StopTimeout"},
		{"a stop timeout that is too long", daemon.Config{Name: "x", StopTimeout: 1<<63 - 1}, "Config.StopTimeout"},
		{"a negative drain delay", daemon.Config{Name: "x", DrainDelay: -1}, "Config.DrainDelay"},
		{"a drain delay that leaves nothing", daemon.Config{Name: "x", StopTimeout: time.Second, DrainDelay: time.Second}, "Config.DrainDelay"},
		{"a drain delay beyond the default", daemon.Config{Name: "x", DrainDelay: time.Minute}, "Config.DrainDelay"},
		{"a MaxLogLine that is too small", daemon.Config{Name: "x", MaxLogLine: 4095}, "Config.MaxLogLine"},
		{"unknown LogKeys", daemon.Config{Name: "x", LogKeys: "syslog"}, "Config.LogKeys"},
		{"an unknown host", daemon.Config{Name: "x", Host: "upstart"}, "Config.Host"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := daemon.Run(t.Context(), program{start: func(context.Context) error {
				t.Error("Start was called")
				return nil
			}}, test.config)
			expect(t, "is ErrConfig", errors.Is(err, daemon.ErrConfig), true)
			expect(t, "exit code", daemon.ExitCode(err), 78)
			expect(t, "names the field", strings.Contains(fmt.Sprint(err), test.field), true)
			expect(t, "lines", strings.Count(fmt.Sprint(err), "\n"), 0)
		})
	}
}

func TestRun_RefusesNoProgram(t *testing.T) {
	for _, p := range []daemon.Program{nil, daemon.Func(nil)} {
		err := daemon.Run(t.Context(), p, daemon.Config{Name: "x"})
		expect(t, "is ErrConfig", errors.Is(err, daemon.ErrConfig), true)
		expect(t, "names the field", strings.Contains(fmt.Sprint(err), "Program"), true)
	}
}

func TestRun_ReportsAllWrongFieldsOfAConfig(t *testing.T) {
	err := daemon.Run(t.Context(), nil, daemon.Config{StopTimeout: -1})
	for _, field := range []string{"Program", "Config.Name", "Config.StopTimeout"} {
		expect(t, "names "+field, strings.Contains(fmt.Sprint(err), field), true)
	}
}

func TestLogger_ReturnsTheLoggerOfTheConfig(t *testing.T) {
	x, err := try(t, program{start: func(ctx context.Context) error {
		daemon.Logger(ctx).With(zap.Int("a", 1)).Named("sub").Info("from Start", zap.Int("b", 2))
		return nil
	}}, daemon.Config{}, func(x *trial) { x.terminate() })
	expect(t, "result", err, nil)
	line := x.logged("from Start")
	expect(t, "name", line.LoggerName, "sub")
	expect(t, "fields", fmt.Sprint(line.ContextMap()), "map[a:1 b:2]")
}
