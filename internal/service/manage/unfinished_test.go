package manage

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
)

// stub is a manager of one service, whose removal and restart fail.
type stub struct {
	Manager
	now     service.Status
	err     error // of Remove and Restart
	fails   func(*stub)
	start   error // of Start; nil starts it
	called  []string
	removed bool
	cancel  func() // what the verb waits with; what is taken back does not depend on it
}

func (m *stub) Status(ctx context.Context, _ Spec) (service.Status, error) { return m.now, ctx.Err() }

func (m *stub) Remove(context.Context, Spec, bool) ([]string, error) {
	m.removed = true
	m.cancel()
	m.fails(m)
	return nil, m.err
}

// Restart fails the first time.
func (m *stub) Restart(ctx context.Context, s Spec) error {
	m.called = append(m.called, "restart")
	if fails := m.fails; fails != nil && len(m.called) == 1 && !m.removed {
		m.cancel()
		fails(m)
		return m.err
	}
	m.now.State, m.now.PID = service.Stopped, 0
	return m.Start(ctx, s)
}

func (m *stub) Start(ctx context.Context, _ Spec) error {
	m.called = append(m.called, "start")
	if m.start != nil {
		return m.start
	}
	m.now.State, m.now.PID = service.Running, 2
	return ctx.Err()
}

var (
	running   = service.Status{State: service.Running, PID: 1, StartType: service.Automatic}
	listening = service.Status{State: service.Stopped, StartType: service.OnSocket, Detail: Listening}
	errFull   = errors.New("the disk is full")
)

func TestARemovalThatFailsLeavesTheServiceAsItWasOrSaysSo(t *testing.T) {
	stops := func(m *stub) { m.now.State, m.now.PID = service.Stopped, 0 }
	for name, test := range map[string]struct {
		before        service.Status
		err           error
		fails         func(*stub)
		start         error
		called, wants string
	}{
		"before anything":  {running, errFull, func(*stub) {}, nil, "", "the disk is full; nothing has changed"},
		"after it stopped": {running, errFull, stops, nil, "start", "the disk is full; the service was stopped, and runs again"},
		"after it stopped, and it does not start": {
			running, errFull, stops, errors.New("no\nmemory"), "start",
			"the disk is full; the service ran before, and is stopped now: it could not be started again: no memory",
		},
		"and the start takes too long": {
			running, errFull, stops, context.DeadlineExceeded, "start",
			"the disk is full; the service ran before, and is stopped now: it was asked to start again",
		},
		"after it was disabled": {
			running, errFull, func(m *stub) { m.now.StartType = service.Manual; stops(m) }, nil, "start",
			"the disk is full; the service was stopped, and runs again, and it does not start by itself any more",
		},
		"while it stops, which its manager does not tell": {
			running, errors.Join(ErrAsked, context.Canceled), func(*stub) {}, nil, "restart start",
			"it was asked to stop\ncontext canceled; the service was stopped, and runs again",
		},
		"while it is stopping": {running, context.Canceled, func(m *stub) { m.now.State = service.Stopping }, nil, "start", "context canceled; the service was stopped, and runs again"},
		"of what is stopped":   {service.Status{State: service.Stopped, StartType: service.Automatic}, errFull, func(*stub) {}, nil, "", "the disk is full; nothing has changed"},
		"of what listens":      {listening, errFull, func(m *stub) { m.now.Detail = "" }, errors.New("taken"), "start", "the disk is full; the service does not listen any more"},
		"of what had begun by its socket": {
			service.Status{State: service.Running, PID: 1, StartType: service.OnSocket},
			errFull, func(m *stub) { m.now = listening }, nil, "",
			"the disk is full; the service was stopped, and is started when somebody connects",
		},
		"of what belongs to others": {running, service.ErrForeign, func(*stub) {}, nil, "", service.ErrForeign.Error()},
		"for want of rights":        {running, service.ErrPermission, func(*stub) {}, nil, "", service.ErrPermission.Error()},
		"when the service is gone":  {running, errFull, func(m *stub) { m.now = service.Status{State: service.NotInstalled} }, nil, "", "the disk is full; the service itself is removed"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			m := &stub{now: test.before, err: test.err, fails: test.fails, start: test.start, cancel: cancel}
			_, err := Remove(ctx, m, Spec{}, false)
			if err == nil || err.Error() != test.wants || !errors.Is(err, test.err) {
				t.Errorf("got %v\nwant %s", err, test.wants)
			}
			if got := strings.Join(m.called, " "); got != test.called {
				t.Errorf("called was %q, want %q", got, test.called)
			}
		})
	}
}

func TestARestartThatFailsLeavesTheServiceRunningOrSaysSo(t *testing.T) {
	stops := func(m *stub) { m.now.State, m.now.PID = service.Stopped, 0 }
	for name, test := range map[string]struct {
		before        service.Status
		err           error
		fails         func(*stub)
		lost          bool // nobody waits for it any more
		called, wants string
	}{
		"it does not start again": {
			running, errFull, func(m *stub) { m.now.State, m.now.PID = service.Failed, 0 }, false, "restart",
			"the disk is full; the service ran before, and is failed now",
		},
		"it did not run":                {service.Status{State: service.Stopped}, errFull, stops, false, "restart", "the disk is full"},
		"it does not stop":              {running, errFull, func(*stub) {}, false, "restart", "the disk is full"},
		"lost between stop and start":   {running, context.Canceled, stops, true, "restart start", "context canceled"},
		"lost while it stops":           {running, errors.Join(ErrAsked, context.Canceled), func(*stub) {}, true, "restart restart start", "it was asked to stop\ncontext canceled"},
		"lost while its manager has it": {running, context.Canceled, func(m *stub) { m.now.State = service.Starting }, true, "restart", "context canceled"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			m := &stub{now: test.before, err: test.err, fails: test.fails, cancel: func() {}}
			if test.lost {
				m.cancel = cancel
			}
			err := Restart(ctx, m, Spec{})
			if err == nil || err.Error() != test.wants || !errors.Is(err, test.err) {
				t.Errorf("got %v\nwant %s", err, test.wants)
			}
			if got := strings.Join(m.called, " "); got != test.called {
				t.Errorf("called was %q, want %q", got, test.called)
			}
			if test.lost && m.now.State != service.Running && m.now.State != service.Starting {
				t.Errorf("it is %s", m.now.State)
			}
		})
	}
}
