package daemon

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/go-glidepath/glidepath/daemon/logkeys"
	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/log/logtext"
)

func TestFindTarget(t *testing.T) {
	own := host.Env{Own: true}
	some := hostTargets()[len(hostTargets())-1]
	for _, test := range []struct {
		name  string
		env   host.Env
		vars  map[string]string
		want  target
		wrong string
	}{
		{name: "a pipe, as in a test", env: own, want: toJSON},
		{name: "a double", want: toJSON},
		{name: "set by the operator", env: own, vars: map[string]string{"LOG_TARGET": string(some)}, want: some},
		{name: "set in capitals", env: own, vars: map[string]string{"LOG_TARGET": "Terminal"}, want: toTerminal},
		{name: "set to nonsense", env: own, vars: map[string]string{"LOG_TARGET": "printer"}, want: toJSON, wrong: `LOG_TARGET is "printer"`},
		{name: "a double, although LOG_TARGET is set", vars: map[string]string{"LOG_TARGET": string(some)}, want: toJSON},
		{name: "the journal of another process", env: own, vars: map[string]string{"JOURNAL_STREAM": "1:1"}, want: toJSON},
		{name: "a service of Windows", env: host.Env{Own: true, SCM: true}, want: toEventLog},
		{name: "a service of Windows, set by the operator", env: host.Env{Own: true, SCM: true}, vars: map[string]string{"LOG_TARGET": "json"}, want: toJSON},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := findTarget(test.env, func(name string) string { return test.vars[name] })
			if got != test.want || (err == nil) != (test.wrong == "") || err != nil && !strings.Contains(err.Error(), test.wrong) {
				t.Errorf("got %s, %v, want %s, %s", got, err, test.want, test.wrong)
			}
		})
	}
}

func TestTarget_OpenAlwaysReturnsASink(t *testing.T) {
	for _, to := range []target{toTerminal, toJSON, toJournal, toPrefixed, toSyslog, toEventLog} {
		s, err := to.open("trial", host.Env{}, logtext.JSONOptions{}, zap.InfoLevel)
		if s == nil {
			t.Fatalf("%s: no log, %v", to, err)
		}
		if to == toEventLog && runtime.GOOS != "windows" && !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: %v", to, err)
		}
		if err := s.Sync(); err != nil {
			t.Errorf("%s: %v", to, err)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Errorf("%s: %v", to, err)
		}
	}
}

func TestHostLog_LogAlsoGetsEachRecord(t *testing.T) {
	all, everything := observer.New(zap.DebugLevel)
	few, failures := observer.New(zap.ErrorLevel)
	level := zap.NewAtomicLevelAt(zap.WarnLevel)
	log, s, wrong := hostLog(Config{Name: "trial", LogAlso: []zapcore.Core{all, few}}, host.Env{}, level)
	defer func() { _ = s.Close(t.Context()) }()
	log.Info("one")
	level.SetLevel(zap.DebugLevel)
	log.Debug("two")
	log.Error("three")
	if n, m := everything.Len(), failures.Len(); n != 2 || m != 1 || len(wrong) != 0 {
		t.Errorf("%d and %d records, %v", n, m, wrong)
	}
}

func TestLogName_OfAnInstance(t *testing.T) {
	template, single := Config{Name: "web", Service: service.Config{Template: true}}, Config{Name: "web"}
	env := func(string) string { return "a" }
	for want, got := range map[string]string{
		"web@a": logName(template, host.Env{Own: true}, env),
		"web":   logName(single, host.Env{Own: true}, env), // started by an instance of something else
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got := logName(template, host.Env{}, env); got != "web" {
		t.Errorf("for a double, got %s", got)
	}
}

func TestHostLog_LogAlsoObeysTheLevelOfTheRun(t *testing.T) {
	core, logs := observer.New(zap.WarnLevel)
	level := zap.NewAtomicLevelAt(zap.ErrorLevel)
	log, s, _ := hostLog(Config{Name: "trial", LogAlso: []zapcore.Core{core}}, host.Env{}, level)
	defer func() { _ = s.Close(t.Context()) }()
	with := log.With(zap.Int("n", 1))
	with.Warn("too low")
	if log.Core().Check(zapcore.Entry{Level: zap.WarnLevel}, nil) != nil {
		t.Error("it accepts a record below the level of the run")
	}
	level.SetLevel(zap.DebugLevel)
	with.Info("too low for the file")
	with.Warn("in it")
	if all := logs.All(); len(all) != 1 || all[0].Message != "in it" || all[0].ContextMap()["n"] != int64(1) {
		t.Errorf("the file has %v", all)
	}
}

// hanging hangs in Close until its context ends.
type hanging struct {
	sink
	closed *time.Duration
}

func (c hanging) Close(ctx context.Context) error {
	begun := time.Now()
	<-ctx.Done()
	*c.closed = time.Since(begun)
	return c.sink.Close(ctx)
}

func TestEndLog_ClosesTheSinkWithinABound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		c, err := Config{Name: "trial"}.complete(idle{}, place{})
		if err != nil {
			t.Fatal(err)
		}
		closed := time.Duration(-1)
		r := newRun(ctx, idle{}, c, host.Env{})
		r.sink = hanging{r.sink, &closed}
		stop()
		if err := r.loop(); err != nil || closed != flushBound {
			t.Errorf("closed after %s, %v", closed, err)
		}
	})
}

// logged returns what a process that logs JSON writes to standard output.
func logged(t *testing.T, c Config, f func(log *zap.Logger)) string {
	t.Helper()
	t.Setenv("LOG_TARGET", "json")
	file, err := os.Create(filepath.Join(t.TempDir(), "stdout"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	stdout := os.Stdout
	os.Stdout = file
	log, s, wrong := hostLog(c, host.Env{Own: true}, zap.InfoLevel)
	os.Stdout = stdout
	f(log)
	if err := errors.Join(append(wrong, s.Close(t.Context()))...); err != nil {
		t.Error(err)
	}
	b, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestHostLog_MaxLogLine(t *testing.T) {
	long := strings.Repeat("x", 50_000)
	for most, bounds := range map[int][2]int{0: {15 << 10, 16<<10 - 1}, 4096: {3 << 10, 4095}, 32 << 10: {30 << 10, 32<<10 - 1}, -1: {50_000, 51_000}} {
		got := logged(t, Config{Name: "trial", MaxLogLine: most}, func(log *zap.Logger) { log.Info("m", zap.String("long", long)) })
		if len(got) < bounds[0] || len(got) > bounds[1] || strings.Count(got, "\n") != 1 {
			t.Errorf("%d: %d bytes", most, len(got))
		}
	}
}

func TestHostLog_LogKeys(t *testing.T) {
	for _, c := range []struct {
		config logkeys.Keys
		env    string
		want   string
		wrong  string
	}{
		{want: `{"level":"info"`},
		{config: logkeys.ECS, want: `{"@timestamp":`},
		{config: logkeys.ECS, env: "GoogleCloud", want: `{"severity":"INFO"`},
		{config: logkeys.ECS, env: "glidepath", want: `{"level":"info"`},
		{env: "opentelemetry", want: `{"Timestamp":`},
		{config: logkeys.GoogleCloud, env: "xml", want: `{"severity":"INFO"`, wrong: `LOG_KEYS is "xml": want one of glidepath ecs opentelemetry googlecloud`},
	} {
		t.Setenv("LOG_KEYS", c.env)
		config := Config{Name: "trial", Version: "1.2", LogKeys: c.config}
		if c.wrong != "" {
			_, s, wrong := hostLog(config, host.Env{Own: true}, zap.InfoLevel)
			_ = s.Close(t.Context())
			if len(wrong) != 1 || wrong[0].Error() != c.wrong {
				t.Errorf("%s: %v", c.env, wrong)
			}
			continue
		}
		got := logged(t, config, func(log *zap.Logger) { log.Info("m") })
		if !strings.HasPrefix(got, c.want) || strings.Contains(got, "trial") != !strings.Contains(got, `"level"`) || strings.Contains(got, "1.2") != strings.Contains(got, "trial") {
			t.Errorf("%s, %s: got %s", c.config, c.env, got)
		}
	}
	if keys, err := findKeys(Config{}, host.Env{}, func(string) string { return "ecs" }); keys != "" || err != nil {
		t.Errorf("for a double, although LOG_KEYS is set: %s, %v", keys, err)
	}
}
