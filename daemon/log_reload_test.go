package daemon_test

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/lifecycle"
)

func TestReload_ReloadsTheLogAtOnceInAnyState(t *testing.T) {
	pause, resume := host.Request{Action: host.Pause}, host.Request{Action: host.Continue}
	slow := until(30*time.Second, nil)
	for _, test := range []struct {
		name  string
		p     able
		asked []host.Request
		state lifecycle.State
	}{
		{"Start", able{program: program{start: slow}}, nil, lifecycle.Starting},
		{"Reload", able{reload: slow}, []host.Request{reload}, lifecycle.Reloading},
		{"Pause", able{pause: slow}, []host.Request{pause}, lifecycle.Pausing},
		{"nothing, as it is paused", able{}, []host.Request{pause}, lifecycle.Paused},
		{"Continue", able{resume: slow}, []host.Request{pause, resume}, lifecycle.Continuing},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("CONFIGURATION_DIRECTORY", t.TempDir())
			var reloads atomic.Int32
			level := zap.NewAtomicLevel()
			next := test.p.reload
			test.p.reload = func(ctx context.Context) error { reloads.Add(1); return call(ctx, next) }
			x := &trial{t: t, own: true}
			err := x.try(test.p, daemon.Config{LogLevel: level}, func(x *trial) {
				for _, q := range test.asked {
					x.ask(q)
				}
				expect(t, "state", x.last().State, test.state)
				before := reloads.Load()
				writeLevel(t, "debug")
				x.ask(reload)
				expect(t, "level", level.Level(), zap.DebugLevel)
				expect(t, "state", x.logged("reloading the log at once").ContextMap()["state"], any(test.state.String()))
				expect(t, "calls of Reload meanwhile", reloads.Load(), before)
				x.sleep(2 * time.Minute)
				x.ask(resume)
				x.sleep(2 * time.Minute)
				expect(t, "calls of Reload then", reloads.Load(), before+1)
				x.terminate()
			})
			expect(t, "result", err, nil)
		})
	}
}

func TestReload_JoinsRequestsForTheLog(t *testing.T) {
	t.Setenv("CONFIGURATION_DIRECTORY", t.TempDir())
	level := zap.NewAtomicLevel()
	x := &trial{t: t, own: true}
	err := x.try(able{}, daemon.Config{LogLevel: level}, func(x *trial) {
		x.ask(host.Request{Action: host.Pause})
		for range 1000 {
			x.run.Post(reload)
		}
		writeLevel(t, "error")
		x.ask(reload)
		expect(t, "level", level.Level(), zap.ErrorLevel)
		x.terminate()
	})
	expect(t, "result", err, nil)
}

func TestReload_LeavesTheLogAloneOnceStopping(t *testing.T) {
	t.Setenv("CONFIGURATION_DIRECTORY", t.TempDir())
	level := zap.NewAtomicLevel()
	x := &trial{t: t, own: true}
	err := x.try(program{stop: until(time.Second, nil)}, daemon.Config{LogLevel: level}, func(x *trial) {
		x.terminate()
		writeLevel(t, "debug")
		x.ask(reload)
		expect(t, "level", level.Level(), zap.InfoLevel)
	})
	expect(t, "result", err, nil)
}

// writeLevel sets the level as an operator does.
func writeLevel(t *testing.T, level string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(os.Getenv("CONFIGURATION_DIRECTORY"), "log-level"), []byte(level), 0o600); err != nil {
		t.Fatal(err)
	}
}
