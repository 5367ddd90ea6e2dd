// Package console is the host that every process has: the signals of Unix, the
// console events of Windows.
package console

import (
	"context"
	"os"
	"os/signal"
	"time"

	"github.com/go-glidepath/glidepath/internal/host"
)

// secondInterrupt is how long after the first interrupt a second one counts as
// impatience. Below it, it is the same one twice: a shell and a terminal may both
// pass on one Ctrl-C.
const secondInterrupt = 250 * time.Millisecond

// Host listens to signals.
type Host struct {
	rules   platform
	forever bool
	signals chan os.Signal
	unread  chan os.Signal
}

var _ host.Signals = (*Host)(nil)

// New returns a host that listens to signals once it is open. A process that is
// managed has no person at its terminal, even if it has a terminal. With forever,
// Close leaves the signals caught, for a process that is about to exit: one that
// comes late is not to turn a clean exit into a death.
func New(managed, forever bool) *Host {
	return &Host{
		rules:   newPlatform(managed),
		forever: forever,
		signals: make(chan os.Signal, 16),
		unread:  make(chan os.Signal, 1),
	}
}

// Open subscribes to the signals before it returns, so that none that comes during
// Start kills the process.
func (h *Host) Open(run host.Run) {
	h.rules.listen()
	signal.Notify(h.signals, caught...)
	if run.LevelControls && len(levels) > 0 { // none would be all there are
		signal.Notify(h.signals, levels...)
	}
	if len(swallowed) > 0 {
		// A program whose output nobody reads any more is not to die of it. Ignoring
		// the signal would be inherited by its children; nobody reads this channel.
		signal.Notify(h.unread, swallowed...)
	}
}

// C is where the signals come from.
func (h *Host) C() <-chan os.Signal { return h.signals }

// On says what s asks for.
func (h *Host) On(s os.Signal) (host.Request, bool) { return h.rules.requestFor(s, time.Now()) }

// Tell does nothing: nobody listens.
func (h *Host) Tell(host.Status) {}

// Close gives the signals their default behaviour back, unless the process exits.
func (h *Host) Close(context.Context) {
	if !h.forever {
		signal.Stop(h.signals)
		signal.Stop(h.unread)
		h.rules.unlisten()
	}
}

// rules are what turns signals into requests on every platform, a part of the type
// platform that each has.
type rules struct {
	terminal bool      // a person sits there
	first    time.Time // when the first interrupt came
}

// interrupt is the rule for what asks to stop: at a terminal a second one does not
// want to wait, and under a manager it changes nothing.
func (r *rules) interrupt(req host.Request, number int, now time.Time) (host.Request, bool) {
	if r.first.IsZero() {
		r.first = now
		if r.terminal {
			req.Hint = "interrupt again to stop at once"
		}
		return req, true
	}
	if !r.terminal || now.Sub(r.first) < secondInterrupt {
		return host.Request{}, false
	}
	return host.Request{Action: host.Force, Detail: req.Detail, Signal: number}, true
}
