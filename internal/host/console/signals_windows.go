package console

import (
	"os"
	"syscall"
	"time"

	"github.com/go-glidepath/glidepath/internal/host"
)

// Go delivers CTRL_C and CTRL_BREAK as os.Interrupt, and CTRL_CLOSE, CTRL_LOGOFF
// and CTRL_SHUTDOWN as SIGTERM (os/signal, "Windows").
var (
	caught    = []os.Signal{os.Interrupt, syscall.SIGTERM}
	swallowed []os.Signal
)

type platform struct{ rules }

// Console events come from a console, which is where a person sits.
func newPlatform(managed bool) platform {
	return platform{rules{terminal: !managed}}
}

func (r *platform) on(s os.Signal, now time.Time) (host.Request, bool) {
	switch s {
	case os.Interrupt:
		return r.consoleInterrupt(now)
	case syscall.SIGTERM:
		return consoleClose()
	}
	return host.Request{}, false
}
