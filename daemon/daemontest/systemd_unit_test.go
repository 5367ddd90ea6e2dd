package daemontest

import (
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/host"
)

// All of this is the behaviour of systemd 257, except for READY=1 after STOPPING=1, which
// version 259 ignores.
func TestUnit_StatesOfSystemd257(t *testing.T) {
	const second = time.Second
	for _, test := range []struct {
		name   string
		script []any
		sub    subState
		result string
	}{
		{"started", []any{"STATUS=starting"}, subStart, resultSuccess},
		{"ready", []any{"READY=1"}, subRunning, resultSuccess},
		{"stopping in a start", []any{"STOPPING=1"}, subStart, resultSuccess},
		{"stopping in a start, then ready", []any{"STOPPING=1", "READY=1"}, subStart, resultSuccess},
		{"stopping by itself", []any{"READY=1", "STOPPING=1"}, subStopSigterm, resultSuccess},
		{"stopping in a reload", []any{"READY=1", reload, reloads, "STOPPING=1"}, subStopSigterm, resultSuccess},
		{"stopping together with READY=1", []any{"STOPPING=1\nREADY=1"}, subStart, resultSuccess},
		{"ready while systemctl stops it", []any{stop, "READY=1"}, subStopSigterm, resultSuccess},
		{"a message that is too long", []any{"READY=1\nSTATUS=" + strings.Repeat("x", 5000)}, subStart, resultSuccess},

		{"asked to reload", []any{"READY=1", reload}, subReloadSignal, resultSuccess},
		{"reloading", []any{"READY=1", reload, reloads}, subReloadNotify, resultSuccess},
		{"reloading in the microsecond in which it was asked to", []any{"READY=1", 1500 * time.Nanosecond, reload, reloads}, subReloadNotify, resultSuccess},
		{"reloading without the time", []any{"READY=1", reload, "RELOADING=1"}, subReloadSignal, resultSuccess},
		{"reloading since before it was asked to", []any{"READY=1", second, reload, "RELOADING=1\nMONOTONIC_USEC=0"}, subReloadSignal, resultSuccess},
		{"reloading by itself, without the time", []any{"READY=1", "RELOADING=1"}, subReloadNotify, resultSuccess},
		{"READY=1 alone is not a reload", []any{"READY=1", reload, "READY=1"}, subReloadSignal, resultSuccess},
		{"reloaded", []any{"READY=1", reload, reloads, "READY=1"}, subRunning, resultSuccess},
		{"reloaded in one message", []any{"READY=1", reload, "READY=1\nRELOADING=1\nMONOTONIC_USEC=0"}, subRunning, resultSuccess},
		{"almost too slow a reload", []any{"READY=1\nWATCHDOG_USEC=60000000", reload, 6 * second, reloads, 3 * second}, subReloadNotify, resultSuccess},
		{"too slow a reload", []any{"READY=1\nWATCHDOG_USEC=60000000", reload, 6 * second, reloads, 5 * second}, subReloadNotify, resultSuccess},
		{"too slow a reload that ends", []any{"READY=1\nWATCHDOG_USEC=60000000", reload, 6 * second, reloads, 5 * second, "READY=1"}, subRunning, resultSuccess},
		{"a reload that never begins", []any{"READY=1\nWATCHDOG_USEC=60000000", reload, 11 * second}, subRunning, resultSuccess},
		{"ended in a reload", []any{"READY=1", reload, exit(1)}, subFailed, resultExitCode},

		{"ended well", []any{"READY=1", exit(0)}, subDead, resultSuccess},
		{"ended badly", []any{"READY=1", "STOPPING=1", exit(1)}, subFailed, resultExitCode},
		{"ended before it was ready", []any{exit(0)}, subFailed, resultProtocol},
		{"ended before it was ready, as systemctl wanted", []any{stop, exit(0)}, subDead, resultSuccess},
		{"ended badly as systemctl wanted", []any{"READY=1", stop, exit(124)}, subFailed, resultExitCode},
		{"too slow a start, ended well", []any{11 * second, exit(0)}, subFailed, resultTimeout},
		{"too slow a start, ended badly", []any{11 * second, exit(1)}, subFailed, resultTimeout},
		{"too slow a start, and too slow a stop", []any{25 * second}, subFailed, resultTimeout},
		{"infinite time, which is ignored", []any{"EXTEND_TIMEOUT_USEC=18446744073709551615", 25 * second}, subFailed, resultTimeout},
		{"more time than it had anyway", []any{"EXTEND_TIMEOUT_USEC=1000000", 9 * second}, subStart, resultSuccess},

		{"more time, which the watchdog grants too", []any{"READY=1", reload, reloads, "EXTEND_TIMEOUT_USEC=9000000", 8 * second}, subReloadNotify, resultSuccess},
		{"a watchdog that was woken in a start", []any{"WATCHDOG=1", 3 * second}, subFailed, resultWatchdog},
		{"a watchdog that was woken on the way down", []any{"READY=1", "STOPPING=1", "WATCHDOG=1", 3 * second}, subFailed, resultWatchdog},
		{"a watchdog that was woken, and held back", []any{"READY=1", stop, "WATCHDOG=1", "EXTEND_TIMEOUT_USEC=4000000", 3 * second}, subStopSigterm, resultSuccess},
		{"another watchdog", []any{"READY=1", "WATCHDOG_USEC=5000000", 4 * second}, subRunning, resultSuccess},
		{"no watchdog any more", []any{"READY=1", "WATCHDOG_USEC=0", time.Hour}, subRunning, resultSuccess},
	} {
		t.Run(test.name, func(t *testing.T) {
			if f := feed(hasty(), test.script...); f.sub != test.sub || f.result != test.result {
				t.Errorf("it is %s with Result=%s, want %s with %s", f.sub, f.result, test.sub, test.result)
			}
		})
	}
}

func TestUnit_ReloadTimeoutBeginsWithTheRequest(t *testing.T) {
	const second = time.Second
	for _, test := range []struct {
		name   string
		script []any
		want   string
	}{
		{"by systemctl, in time", []any{reload, 6 * second, reloads, 4 * second, "READY=1"}, resultSuccess},
		{"by systemctl, too late", []any{reload, 6 * second, reloads, 5 * second, "READY=1"}, resultTimeout},
		{"by itself, in time", []any{6 * second, reloads, 9 * second, "READY=1"}, resultSuccess},
		{"by itself, too late", []any{6 * second, reloads, 11 * second, "READY=1"}, resultTimeout},
		{"again", []any{reload, 11 * second, reload, reloads, "READY=1"}, resultSuccess},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := feed(hasty(), append([]any{"READY=1\nWATCHDOG_USEC=60000000"}, test.script...)...)
			if f.reloadResult != test.want || f.sub != subRunning {
				t.Errorf("it is %s with ReloadResult=%s, want %s", f.sub, f.reloadResult, test.want)
			}
		})
	}
}

func TestUnit_Signals(t *testing.T) {
	for _, test := range []struct {
		name   string
		script []any
		want   string
	}{
		{"a stop", []any{"READY=1", stop, stop}, "terminated"},
		{"a stop of a service that stops", []any{"READY=1", "STOPPING=1", stop}, ""},
		{"a stop that takes too long", []any{"READY=1", stop, 2 * time.Minute}, "terminated killed"},
		{"a start that takes too long", []any{2 * time.Minute}, "terminated"},
		{"a reload", []any{"READY=1", reload}, "hangup"},
		{"a reload of a service that is not ready", []any{reload}, ""},
		{"a watchdog", []any{"READY=1", "WATCHDOG=trigger"}, "aborted"},
		{"a stop after the end", []any{"READY=1", exit(1), stop, reload}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var names []string
			for _, s := range feed(&Systemd{}, test.script...).signals {
				names = append(names, map[os.Signal]string{
					syscall.SIGTERM: "terminated", syscall.SIGKILL: "killed", syscall.SIGHUP: "hangup", syscall.SIGABRT: "aborted",
				}[s])
			}
			if got := strings.Join(names, " "); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestProcess_PassesOnSignals(t *testing.T) {
	var asked []host.Request
	p := &process{}
	p.signal(syscall.SIGHUP) // before the run listens
	p.Open(host.Run{Post: func(q host.Request) { asked = append(asked, q) }})
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT} {
		p.signal(s)
	}
	want := []host.Request{
		{Action: host.Reload, Detail: "SIGHUP"},
		{Trigger: host.TriggerInterrupt, Detail: "SIGINT"},
		{Action: host.Reload, Detail: "SIGHUP"},
	}
	if !slices.Equal(asked, want) {
		t.Errorf("got %+v, want %+v", asked, want)
	}
}
