package daemontest

import (
	"context"
	"os"
	"syscall"
	"time"

	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/host/systemd/sdnotify"
)

// process is a host that passes on signals, like host console in a process that a manager
// has started.
type process struct {
	run     host.Run
	open    bool
	asked   bool // a signal has asked the process to stop
	waiting []os.Signal
}

// Open delivers the signals that arrived earlier.
func (p *process) Open(run host.Run) {
	p.run, p.open = run, true
	for _, signal := range p.waiting {
		p.signal(signal)
	}
}

func (p *process) Tell(host.Status) {}

func (p *process) Close(context.Context) {}

func (p *process) signal(signal os.Signal) {
	switch {
	case !p.open:
		p.waiting = append(p.waiting, signal)
	case signal == syscall.SIGHUP:
		p.run.Post(host.Request{Action: host.Reload, Detail: "SIGHUP"})
	case p.asked: // under a manager, repeated requests change nothing
	case signal == syscall.SIGTERM:
		p.asked = true
		p.run.Post(host.Request{Trigger: host.TriggerTerminate, Detail: "SIGTERM"})
	case signal == syscall.SIGINT:
		p.asked = true
		p.run.Post(host.Request{Trigger: host.TriggerInterrupt, Detail: "SIGINT"})
	}
}

// notifySocket implements the service's end of NOTIFY_SOCKET.
type notifySocket struct{ s *Systemd }

// Send passes m to systemd, whose queue is never full.
func (n notifySocket) Send(m sdnotify.Message, _ time.Duration) error {
	n.s.receive(string(m))
	return nil
}

// Barrier returns at once: everything sent earlier has been processed.
func (n notifySocket) Barrier(time.Duration) error { return nil }

// Close closes the connection.
func (n notifySocket) Close() error {
	n.s.mu.Lock()
	defer n.s.mu.Unlock()
	n.s.closed = true
	return nil
}

// receive processes a datagram.
func (s *Systemd) receive(text string) {
	s.do(func(now time.Duration) {
		if s.unit.killed {
			return // no process is left that could have sent it
		}
		if s.closed || s.unit.gone {
			s.breaks(ruleEnd, "the service has sent %q after its end", text)
			return
		}
		s.unit.receive(now, text)
		s.received = append(s.received, SystemdMessage{At: now, Text: text})
	})
}
