//go:build unix

package console

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-glidepath/glidepath/internal/host"
)

// SIGQUIT and SIGABRT are not caught: Go answers them with the stack of every
// goroutine, which is what a watchdog's SIGABRT is for.
var (
	caught    = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP}
	levels    = []os.Signal{syscall.SIGUSR1, syscall.SIGUSR2}
	swallowed = []os.Signal{syscall.SIGPIPE}
)

// platform is the rules, and what there is to know of SIGHUP.
type platform struct {
	rules
	nohup  bool        // started so that one does not end it
	hungUp func() bool // there was a terminal, and it is gone
}

func newPlatform(managed bool) platform {
	had := hasTerminal()
	return platform{
		rules:  rules{terminal: !managed && had},
		nohup:  signal.Ignored(syscall.SIGHUP),
		hungUp: func() bool { return had && !hasTerminal() },
	}
}

// hasTerminal reports whether the process has a controlling terminal. It has none
// any more when that has hung up.
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

// hangup is the rule for SIGHUP, which is two things: a terminal that has gone, and by
// custom a request to reload. While the terminal is there it is the latter, whatever the
// program can: somebody has sent it, such as kill or a container's runtime.
func (r *platform) hangup() (host.Request, bool) {
	if r.hungUp() && !r.nohup {
		return host.Request{Trigger: host.TriggerHangup, Detail: "SIGHUP"}, true
	}
	return host.Request{Action: host.Reload, Detail: "SIGHUP"}, true
}
