package systemd

import (
	"fmt"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/lifecycle"
)

// after lists the states that may follow each state.
var after = map[lifecycle.State][]lifecycle.State{
	lifecycle.Starting:   {lifecycle.Running, lifecycle.Stopping},
	lifecycle.Running:    {lifecycle.Reloading, lifecycle.Pausing, lifecycle.Stopping},
	lifecycle.Reloading:  {lifecycle.Running, lifecycle.Stopping},
	lifecycle.Pausing:    {lifecycle.Paused, lifecycle.Running, lifecycle.Stopping},
	lifecycle.Paused:     {lifecycle.Continuing, lifecycle.Stopping},
	lifecycle.Continuing: {lifecycle.Running, lifecycle.Paused, lifecycle.Stopping},
	lifecycle.Stopping:   {lifecycle.Stopped},
}

// manager is a model of systemd: what it concludes from the states that it is told.
type manager struct {
	ready    bool
	answered time.Duration // the time of the latest RELOADING=1 that a READY=1 followed
	begun    time.Duration // the time of the one that none has followed yet
	status   lifecycle.State
	wrong    string
}

func (m *manager) receive(t queuedStatus) {
	m.status = t.State
	switch t.State {
	case lifecycle.Running:
		m.ready = true
		if m.begun > 0 {
			m.answered, m.begun = m.begun, 0
		}
	case lifecycle.Reloading:
		if !m.ready || m.begun > 0 {
			m.wrong = fmt.Sprintf("RELOADING=1 when ready: %t, reloading: %t", m.ready, m.begun > 0)
		}
		m.begun = t.at
	}
}

// TestQueue_LateReaderEndsUpInTheSameState tries every sequence of states. In each, it tries
// every moment at which the manager may stop reading.
func TestQueue_LateReaderEndsUpInTheSameState(t *testing.T) {
	const length, most = 11, 7
	var try func(states []queuedStatus)
	try = func(states []queuedStatus) {
		for read := range len(states) {
			var atOnce, late manager
			var q queue
			for i, s := range states {
				atOnce.receive(s)
				if i < read {
					late.receive(s)
				} else {
					q = append(q.dropOutdated(s.State), s)
				}
			}
			for _, s := range q {
				late.receive(s)
			}
			if atOnce.begun > 0 {
				late.answered = atOnce.answered // the one in progress answers it
			}
			if late != atOnce || len(q) > most {
				t.Fatalf("after %v, of which it had read %d, and the %d of %v:\n%+v, want\n%+v", states, read, len(q), q, late, atOnce)
			}
		}
		last := states[len(states)-1].State
		if len(states) == length {
			return
		}
		for _, s := range after[last] {
			try(append(states[:len(states):len(states)], queuedStatus{host.Status{State: s}, time.Duration(len(states))}))
		}
	}
	try([]queuedStatus{{Status: host.Status{State: lifecycle.Starting}}})
}
