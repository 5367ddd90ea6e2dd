package daemontest

import (
	"context"
	"os"
	"syscall"
	"time"

	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/host/sdnotify"
)

// process is the host that passes on signals, as host console does in a process that
// a manager has started.
type process struct {
	run     host.Run
	open    bool
	asked   bool // a signal has asked to stop
	waiting []os.Signal
}

// Open lets the signals in that came before it.
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
	case p.asked: // under a manager repeated requests change nothing
	case signal == syscall.SIGTERM:
		p.asked = true
		p.run.Post(host.Request{Trigger: host.TriggerTerminate, Detail: "SIGTERM"})
	case signal == syscall.SIGINT:
		p.asked = true
		p.run.Post(host.Request{Trigger: host.TriggerInterrupt, Detail: "SIGINT"})
	}
}

// notifySocket is the service's end of NOTIFY_SOCKET.
type notifySocket struct{ s *Systemd }

// Send gives m to systemd, whose queue is never full.
func (n notifySocket) Send(m sdnotify.Message, _ time.Duration) error {
	n.s.receive(string(m))
	return nil
}

// Barrier returns at once: everything that was sent before it was processed.
func (n notifySocket) Barrier(time.Duration) error { return nil }

// Close ends the connection.
func (n notifySocket) Close() error {
	n.s.mu.Lock()
	defer n.s.mu.Unlock()
	n.s.closed = true
	return nil
}

// receive is a datagram that arrives.
func (s *Systemd) receive(text string) {
	s.do(func(now time.Duration) {
		if s.unit.killed {
			return // nobody is there any more who could have sent it
		}
		if s.closed || s.unit.gone {
			s.breaks(ruleEnd, "the service has sent %q after its end", text)
			return
		}
		s.unit.receive(now, text)
		s.received = append(s.received, SystemdMessage{At: now, Text: text})
	})
}
