package daemon

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/host"
)

func TestLevel_Configured(t *testing.T) {
	for _, test := range []struct {
		name, file, env, debug string
		want                   zapcore.Level
		wrong                  string
	}{
		{name: "nothing", want: zapcore.WarnLevel},
		{name: "a file", file: "debug\n", want: zapcore.DebugLevel},
		{name: "a file in capitals", file: " ERROR ", want: zapcore.ErrorLevel},
		{name: "a file that is empty", file: "\n", env: "error", want: zapcore.ErrorLevel},
		{name: "the environment", env: "info", want: zapcore.InfoLevel},
		{name: "the word of syslog", env: "warning", want: zapcore.WarnLevel},
		{name: "the number of syslog", env: "3", want: zapcore.ErrorLevel},
		{name: "a file and the environment", file: "info", env: "error", want: zapcore.InfoLevel},
		{name: "a debug invocation", file: "error", env: "error", debug: "1", want: zapcore.DebugLevel},
		{name: "no debug invocation", debug: "0", want: zapcore.WarnLevel},
		{name: "a wrong word", env: "loud", wrong: `LOG_LEVEL is "loud": want debug, info, warn or error`},
		{name: "a file that is something else", file: strings.Repeat("x", 1<<20), wrong: `log-level is "xxxx`},
		{name: "a level that would end the process", env: "fatal", wrong: "want debug"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			t.Setenv("CONFIGURATION_DIRECTORY", dir)
			t.Setenv("LOG_LEVEL", test.env)
			t.Setenv("DEBUG_INVOCATION", test.debug)
			if test.file != "" {
				if err := os.WriteFile(filepath.Join(dir, "log-level"), []byte(test.file), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			l := newLevel(Config{Name: "trial", LogLevel: zap.NewAtomicLevelAt(zap.WarnLevel)}, true)
			got, err := l.configured()
			switch {
			case test.wrong == "" && (err != nil || got != test.want):
				t.Errorf("got %s, %v, want %s", got, err, test.want)
			case test.wrong != "" && (err == nil || !strings.Contains(err.Error(), test.wrong) || len(err.Error()) > 300):
				t.Errorf("got %v, want %s", err, test.wrong)
			}
		})
	}
}

func TestLevel_RefusesAFolder(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("CONFIGURATION_DIRECTORY", dir)
	if err := os.Mkdir(filepath.Join(dir, "log-level"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := newLevel(Config{Name: "trial"}, true).configured(); err == nil {
		t.Error("no error")
	}
}

// A disk that hangs has the same effect as a Start or a Reload that hangs.
func TestLevel_FileThatHangsDelaysNothingElse(t *testing.T) {
	for _, when := range []string{"at the start", "at a reload"} {
		t.Run(when, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release, reads, code := make(chan struct{}), 0, -1
				env := host.Env{Own: true, Exit: func(c int) { code = c }}
				level := zap.NewAtomicLevel()
				c, err := Config{Name: "trial", Logger: zap.NewNop(), LogLevel: level, StopTimeout: 10 * time.Second}.complete(idle{}, place{})
				if err != nil {
					t.Fatal(err)
				}
				r := newRun(t.Context(), idle{}, c, env)
				r.level.read = func(string) ([]byte, error) {
					if reads++; when == "at the start" || reads > 1 {
						<-release
					}
					return nil, fs.ErrNotExist
				}
				ended := make(chan error, 1)
				go func() { ended <- r.loop() }()
				synctest.Wait()
				r.request(host.Request{Action: host.Reload})
				synctest.Wait()
				r.request(host.Request{Action: host.MoreVerbose})
				synctest.Wait()
				if level.Level() != zap.DebugLevel {
					t.Errorf("the level is %s", level)
				}
				begun := time.Now()
				r.request(host.Request{Trigger: host.TriggerTerminate, Detail: "SIGTERM"})
				if err := <-ended; !errors.Is(err, ErrStopTimeout) || code != 124 {
					t.Errorf("ended with %v, code %d", err, code)
				}
				if took := time.Since(begun); took > 12*time.Second {
					t.Errorf("it took %s", took)
				}
				close(release)
			})
		})
	}
}

func TestLevel_IgnoresTheEnvironmentIfTheRunDoesNotOwnTheProcess(t *testing.T) {
	t.Setenv("LOG_LEVEL", "error")
	t.Setenv("DEBUG_INVOCATION", "1")
	if got, err := newLevel(Config{Name: "trial"}, false).configured(); err != nil || got != zap.InfoLevel {
		t.Errorf("got %s, %v", got, err)
	}
}
