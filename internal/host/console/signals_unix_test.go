//go:build unix

package console

import (
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/host"
)

func TestRequestFor(t *testing.T) {
	stop := func(trigger, detail, hint string) host.Request {
		return host.Request{Trigger: trigger, Detail: detail, Hint: hint}
	}
	const again = "interrupt again to stop at once"
	reload := host.Request{Action: host.Reload, Detail: "SIGHUP"}
	here, gone := func() bool { return false }, func() bool { return true }

	for _, test := range []struct {
		name   string
		rules  platform
		signal os.Signal
		want   host.Request
		ok     bool
	}{
		{"SIGINT at a terminal", platform{rules: rules{terminal: true}}, syscall.SIGINT, stop("interrupt", "SIGINT", again), true},
		{"SIGTERM at a terminal", platform{rules: rules{terminal: true}}, syscall.SIGTERM, stop("terminate", "SIGTERM", again), true},
		{"SIGTERM under a manager", platform{rules: rules{}}, syscall.SIGTERM, stop("terminate", "SIGTERM", ""), true},
		{"SIGHUP without a terminal, or while it is there", platform{hungUp: here}, syscall.SIGHUP, reload, true},
		{"SIGHUP at a terminal that is there", platform{rules: rules{terminal: true}, hungUp: here}, syscall.SIGHUP, reload, true},
		{"SIGHUP of a terminal that is gone", platform{rules: rules{terminal: true}, hungUp: gone}, syscall.SIGHUP, stop("hangup", "SIGHUP", ""), true},
		{"SIGHUP of a terminal that a manager gave and is gone", platform{hungUp: gone}, syscall.SIGHUP, stop("hangup", "SIGHUP", ""), true},
		{"SIGHUP of a terminal that is gone, under nohup", platform{rules: rules{terminal: true}, nohup: true, hungUp: gone}, syscall.SIGHUP, reload, true},
		{"SIGHUP of a terminal that is there, under nohup", platform{rules: rules{terminal: true}, nohup: true, hungUp: here}, syscall.SIGHUP, reload, true},
		{"SIGUSR1", platform{rules: rules{}}, syscall.SIGUSR1, host.Request{Action: host.MoreVerbose, Detail: "SIGUSR1"}, true},
		{"SIGUSR2", platform{rules: rules{}}, syscall.SIGUSR2, host.Request{Action: host.LessVerbose, Detail: "SIGUSR2"}, true},
		{"SIGCONT", platform{rules: rules{}}, syscall.SIGCONT, host.Request{}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, ok := test.rules.requestFor(test.signal, time.Now())
			if got != test.want || ok != test.ok {
				t.Errorf("got %+v, %t, want %+v, %t", got, ok, test.want, test.ok)
			}
		})
	}
}

func TestRequestFor_SecondSignalForces(t *testing.T) {
	for first, second := range map[syscall.Signal]syscall.Signal{
		syscall.SIGINT:  syscall.SIGTERM,
		syscall.SIGTERM: syscall.SIGINT,
	} {
		t.Run(first.String(), func(t *testing.T) {
			now := time.Now()
			r := platform{rules: rules{terminal: true}}
			r.requestFor(first, now)
			q, ok := r.requestFor(second, now.Add(secondInterrupt))
			if !ok || q.Action != host.Force || q.Signal != int(second) {
				t.Errorf("%s after %s asks for %+v, %t", second, first, q, ok)
			}
		})
	}
}

func TestOpen_LevelSignalsOnlyIfWanted(t *testing.T) {
	// The default would end the test.
	others := make(chan os.Signal, 1)
	signal.Notify(others, syscall.SIGUSR1)
	defer signal.Stop(others)
	for _, wanted := range []bool{true, false} {
		h := New(true, false)
		h.Open(host.Run{LevelControls: wanted})
		if err := syscall.Kill(os.Getpid(), syscall.SIGUSR1); err != nil {
			t.Fatal(err)
		}
		<-others
		if wanted {
			if s := <-h.C(); s != syscall.SIGUSR1 {
				t.Errorf("got %s", s)
			}
		}
		h.Close(t.Context())
		if n := len(h.C()); n > 0 {
			t.Errorf("wanted: %t, and %d signals have come", wanted, n)
		}
	}
}

func TestHost_DeliversSignalsWhileOpen(t *testing.T) {
	h := New(true, false)
	h.Open(host.Run{})
	for _, s := range []syscall.Signal{syscall.SIGPIPE, syscall.SIGHUP, syscall.SIGTERM, syscall.SIGINT} {
		if err := syscall.Kill(os.Getpid(), s); err != nil {
			t.Fatal(err)
		}
		if s == syscall.SIGPIPE {
			continue // it has no effect
		}
		got := <-h.C()
		q, ok := h.RequestFor(got)
		switch {
		case got != s:
			t.Errorf("got %s, want %s", got, s)
		case s == syscall.SIGHUP && q.Action != host.Reload, s == syscall.SIGTERM && q.Trigger != host.TriggerTerminate:
			t.Errorf("%s asks for %+v, %t", s, q, ok)
		case s == syscall.SIGINT && ok:
			t.Errorf("a second one under a manager asks for %+v", q)
		}
	}
	h.Close(t.Context())

	others := make(chan os.Signal, 1)
	signal.Notify(others, syscall.SIGHUP)
	defer signal.Stop(others)
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	<-others
	if len(h.C()) > 0 {
		t.Error("a signal has arrived after Close")
	}
}
