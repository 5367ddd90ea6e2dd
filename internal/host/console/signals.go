// Package console implements the host for signals on Unix and console events on Windows.
// Every process has this host, except a Windows service.
package console

import (
	"context"
	"os"
	"os/signal"
	"time"

	"github.com/go-glidepath/glidepath/internal/host"
)

// secondInterrupt is the time after which a second interrupt forces the end. An earlier one
// counts as the first, received twice: a shell and a terminal may both pass on one Ctrl-C.
const secondInterrupt = 250 * time.Millisecond

// Host listens to signals.
type Host struct {
	rules   platform
	forever bool
	signals chan os.Signal
	unread  chan os.Signal
}

var _ host.Signals = (*Host)(nil)

// New returns a host that listens to signals once it is open. If managed is true, a terminal
// of the process does not count, because no person uses it. If forever is true, Close leaves
// the signals caught: in a process that is about to exit, a late signal must not turn a
// clean exit into a death by signal.
func New(managed, forever bool) *Host {
	return &Host{
		rules:   newPlatform(managed),
		forever: forever,
		signals: make(chan os.Signal, 16),
		unread:  make(chan os.Signal, 1),
	}
}

// Open subscribes to the signals before it returns, so that no signal during Start kills the
// process.
func (h *Host) Open(run host.Run) {
	h.rules.listen()
	signal.Notify(h.signals, caught...)
	if run.LevelControls && len(levels) > 0 { // Notify without signals subscribes to all
		signal.Notify(h.signals, levels...)
	}
	if len(swallowed) > 0 {
		// A program must not die because its output is no longer read. Ignoring the signal
		// is not an option: child processes would inherit that. Nothing reads this channel.
		signal.Notify(h.unread, swallowed...)
	}
}

// C returns the channel that delivers the signals.
func (h *Host) C() <-chan os.Signal { return h.signals }

// RequestFor returns the request that s stands for, if any.
func (h *Host) RequestFor(s os.Signal) (host.Request, bool) { return h.rules.requestFor(s, time.Now()) }

// Tell does nothing: a terminal is not told the state.
func (h *Host) Tell(host.Status) {}

// Close restores the default behavior of the signals, unless the process is about to exit.
func (h *Host) Close(context.Context) {
	if !h.forever {
		signal.Stop(h.signals)
		signal.Stop(h.unread)
		h.rules.unlisten()
	}
}

// rules holds what is needed on every system to turn signals into requests. The type platform
// of each system embeds it.
type rules struct {
	terminal bool      // a person uses the terminal
	first    time.Time // when the first interrupt came
}

// interrupt returns the request for a signal that asks to stop. A second one forces the end
// if it comes from a terminal, and changes nothing under a manager.
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
