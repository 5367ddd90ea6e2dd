package console

import (
	"time"

	"github.com/go-glidepath/glidepath/internal/host"
)

// closeBudget is how long a console process has after CTRL_CLOSE, CTRL_LOGOFF and
// CTRL_SHUTDOWN: Windows ends it after 5 s (HandlerRoutine, SPI_GETHUNGAPPTIMEOUT
// and SPI_GETWAITTOKILLTIMEOUT).
const closeBudget = 4500 * time.Millisecond

// sigint is the number that a forced exit has on Windows too.
const sigint = 2

// consoleInterrupt is CTRL_C or CTRL_BREAK, which have no limit of their own.
func (r *rules) consoleInterrupt(now time.Time) (host.Request, bool) {
	return r.interrupt(host.Request{Trigger: host.TriggerInterrupt, Detail: "CTRL_C or CTRL_BREAK"}, sigint, now)
}

// consoleClose is CTRL_CLOSE, CTRL_LOGOFF or CTRL_SHUTDOWN. Go keeps the event's
// handler from returning, which would end the process at once. It is no impatience,
// whatever came before it: it only says how much time there is from now on.
func consoleClose() (host.Request, bool) {
	return host.Request{
		Trigger: host.TriggerConsoleClose,
		Detail:  "CTRL_CLOSE, CTRL_LOGOFF or CTRL_SHUTDOWN",
		Budget:  closeBudget,
	}, true
}
