package console

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/windows"

	"github.com/go-glidepath/glidepath/internal/host"
)

// Go delivers CTRL_C and CTRL_BREAK as os.Interrupt, and CTRL_CLOSE, CTRL_LOGOFF
// and CTRL_SHUTDOWN as SIGTERM (os/signal, "Windows").
var (
	caught    = []os.Signal{os.Interrupt, syscall.SIGTERM}
	levels    []os.Signal
	swallowed []os.Signal
)

var setConsoleCtrlHandler = windows.NewLazySystemDLL("kernel32.dll").NewProc("SetConsoleCtrlHandler")

// platform holds the rules and the console events.
type platform struct {
	rules
	events  *events
	handler uintptr
}

// newPlatform assumes that a person uses the console: console events come from nowhere else.
func newPlatform(managed bool) platform {
	return platform{rules: rules{terminal: !managed}, events: &events{}}
}

// listen registers a handler that records each event and leaves it to Go's handler. Windows
// calls the handler that was registered last first. If registering fails, requests name the
// possible events instead of the actual one.
func (r *platform) listen() {
	e := r.events
	r.handler = windows.NewCallback(func(event uint32) uintptr {
		e.record(event)
		return 0
	})
	_, _, _ = setConsoleCtrlHandler.Call(r.handler, 1)
}

func (r *platform) unlisten() {
	_, _, _ = setConsoleCtrlHandler.Call(r.handler, 0)
}

func (r *platform) requestFor(s os.Signal, now time.Time) (host.Request, bool) {
	switch s {
	case os.Interrupt:
		return r.consoleInterrupt(r.events, now)
	case syscall.SIGTERM:
		return consoleClose(r.events)
	}
	return host.Request{}, false
}
