package daemon

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/go-glidepath/glidepath/internal/host"
)

func TestWhereAProcessLogs(t *testing.T) {
	own := host.Env{Own: true}
	some := hostTargets()[len(hostTargets())-1]
	for _, test := range []struct {
		name  string
		env   host.Env
		vars  map[string]string
		want  target
		wrong string
	}{
		{name: "in a pipe, as a test is", env: own, want: toJSON},
		{name: "a double's", want: toJSON},
		{name: "told by the operator", env: own, vars: map[string]string{"LOG_TARGET": string(some)}, want: some},
		{name: "told in capitals", env: own, vars: map[string]string{"LOG_TARGET": "Terminal"}, want: toTerminal},
		{name: "told nonsense", env: own, vars: map[string]string{"LOG_TARGET": "printer"}, want: toJSON, wrong: `LOG_TARGET is "printer"`},
		{name: "a double's whose process is told", vars: map[string]string{"LOG_TARGET": string(some)}, want: toJSON},
		{name: "a journal that is somebody else's", env: own, vars: map[string]string{"JOURNAL_STREAM": "1:1"}, want: toJSON},
		{name: "a service of Windows", env: host.Env{Own: true, SCM: true}, want: toEventLog},
		{name: "a service of Windows that is told", env: host.Env{Own: true, SCM: true}, vars: map[string]string{"LOG_TARGET": "json"}, want: toJSON},
	} {
		got, err := findTarget(test.env, func(name string) string { return test.vars[name] })
		if got != test.want || (err == nil) != (test.wrong == "") || err != nil && !strings.Contains(err.Error(), test.wrong) {
			t.Errorf("%s: %s, %v, want %s, %s", test.name, got, err, test.want, test.wrong)
		}
	}
}

func TestALogThatIsNotThereIsAnother(t *testing.T) {
	for _, to := range []target{toTerminal, toJSON, toJournal, toPrefixed, toSyslog, toEventLog} {
		s, err := to.open("trial", host.Env{}, zap.InfoLevel)
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

func TestWhatIsLoggedIsLoggedElsewhereAsWell(t *testing.T) {
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
