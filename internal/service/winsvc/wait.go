package winsvc

import (
	"context"
	"fmt"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/win32"
)

const (
	// The interval between two queries is a tenth of the wait hint, within these bounds.
	// Microsoft recommends 1 s to 10 s, which would make people wait needlessly.
	shortestPoll = 20 * time.Millisecond
	longestPoll  = time.Second

	// patience is how long a service may stay in a pending state without progress, if its
	// wait hint is shorter. The manager itself gives it 30 s to connect, and considers it
	// hung 80 s after its last hint.
	patience = 90 * time.Second

	// deletion is how long a service may be marked for deletion.
	deletion = 15 * time.Second
)

var states = map[win32.State]service.State{
	win32.Stopped:         service.Stopped,
	win32.StartPending:    service.Starting,
	win32.StopPending:     service.Stopping,
	win32.Running:         service.Running,
	win32.ContinuePending: service.Continuing,
	win32.PausePending:    service.Pausing,
	win32.Paused:          service.Paused,
}

// pending reports whether a service is changing its state. A state that Windows does not
// document counts, so that it is not mistaken for the end of the change.
func pending(s win32.State) bool { return s.Pending() || !s.Valid() }

// settle waits until the service is in no pending state, and returns its status. h needs
// accessQueryStatus.
func (m *Manager) settle(ctx context.Context, s *session, name string, h handle) (status, error) {
	var last status
	advanced := time.Now()
	for {
		now, err := s.QueryStatus(h)
		if err != nil {
			return now, denied("query the state of service "+name, err)
		}
		if !pending(now.State) {
			return now, nil
		}
		if now.State != last.State || now.CheckPoint != last.CheckPoint {
			advanced = time.Now()
			m.machine.Waiting(progress(name, now))
		}
		last = now
		if still := time.Since(advanced); still > max(patience, 2*now.WaitHint) {
			return now, fmt.Errorf("service %s is %s, but has made no progress for %s: see its log; process %d can be ended in Task Manager",
				name, states[now.State], still.Round(time.Second), now.PID)
		}
		if err := sleep(ctx, min(max(now.WaitHint/10, shortestPoll), longestPoll)); err != nil {
			return now, fmt.Errorf("wait for service %s, which is %s: %w", name, states[now.State], err)
		}
	}
}

// progress returns a text about a pending state.
func progress(name string, s status) string {
	if s.CheckPoint <= 1 {
		return fmt.Sprintf("%s is %s", name, states[s.State])
	}
	return fmt.Sprintf("%s is %s (checkpoint %d)", name, states[s.State], s.CheckPoint)
}

// sleep waits for d. It returns the cause of ctx if that ends first.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
