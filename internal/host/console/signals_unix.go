//go:build unix

package console

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-glidepath/glidepath/internal/host"
)

// SIGQUIT and SIGABRT are not caught: Go prints the stack of every goroutine then, which is
// the purpose of a watchdog's SIGABRT.
var (
	caught    = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP}
	levels    = []os.Signal{syscall.SIGUSR1, syscall.SIGUSR2}
	swallowed = []os.Signal{syscall.SIGPIPE}
)

// platform holds the rules and the state that decides what SIGHUP means.
type platform struct {
	rules
	nohup  bool        // SIGHUP was ignored when the process started
	hungUp func() bool // reports whether there was a terminal and it is gone
}

func newPlatform(managed bool) platform {
	had := hasTerminal()
	return platform{
		rules:  rules{terminal: !managed && had},
		nohup:  signal.Ignored(syscall.SIGHUP),
		hungUp: func() bool { return had && !hasTerminal() },
	}
}

// hasTerminal reports whether the process has a controlling terminal that has not hung up.
func hasTerminal() bool {
	fd, err := syscall.Open("/dev/tty", syscall.O_RDONLY|syscall.O_NOCTTY|syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	_ = syscall.Close(fd)
	return true
}

func (r *platform) listen()   {}
func (r *platform) unlisten() {}

func (r *platform) requestFor(s os.Signal, now time.Time) (host.Request, bool) {
	switch s {
	case syscall.SIGINT:
		return r.interrupt(host.Request{Trigger: host.TriggerInterrupt, Detail: "SIGINT"}, int(syscall.SIGINT), now)
	case syscall.SIGTERM:
		return r.interrupt(host.Request{Trigger: host.TriggerTerminate, Detail: "SIGTERM"}, int(syscall.SIGTERM), now)
	case syscall.SIGHUP:
		return r.hangup()
	case syscall.SIGUSR1:
		return host.Request{Action: host.MoreVerbose, Detail: "SIGUSR1"}, true
	case syscall.SIGUSR2:
		return host.Request{Action: host.LessVerbose, Detail: "SIGUSR2"}, true
	}
	return host.Request{}, false
}

// hangup returns the request for SIGHUP. The signal has two meanings: the terminal is gone,
// or, by convention, reload. While the terminal exists, it means reload, whether or not the
// program can: something like kill or a container runtime sent it.
func (r *platform) hangup() (host.Request, bool) {
	if r.hungUp() && !r.nohup {
		return host.Request{Trigger: host.TriggerHangup, Detail: "SIGHUP"}, true
	}
	return host.Request{Action: host.Reload, Detail: "SIGHUP"}, true
}
