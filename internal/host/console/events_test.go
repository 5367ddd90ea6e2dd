package console

import (
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/host"
)

func TestConsoleEventsOfWindowsHaveTheirBudgets(t *testing.T) {
	now := time.Now()
	for _, test := range []struct {
		name    string
		event   func(*rules, time.Time) (host.Request, bool)
		trigger string
		budget  time.Duration
		forces  int
	}{
		{"CTRL_C or CTRL_BREAK", (*rules).consoleInterrupt, host.TriggerInterrupt, 0, 2},
		{"CTRL_CLOSE, CTRL_LOGOFF or CTRL_SHUTDOWN", (*rules).consoleClose, host.TriggerConsoleClose, 4500 * time.Millisecond, 15},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := rules{terminal: true}
			q, ok := test.event(&r, now)
			if !ok || q.Action != host.Stop || q.Trigger != test.trigger || q.Detail != test.name || q.Budget != test.budget {
				t.Errorf("the first one asks for %+v, %t", q, ok)
			}
			if q, ok := test.event(&r, now.Add(secondInterrupt-1)); ok {
				t.Errorf("one that is the same one twice asks for %+v", q)
			}
			q, ok = test.event(&r, now.Add(secondInterrupt))
			if !ok || q.Action != host.Force || q.Signal != test.forces {
				t.Errorf("the second one asks for %+v, %t", q, ok)
			}
		})
	}
}

func TestUnderAManagerRepeatedRequestsChangeNothing(t *testing.T) {
	now := time.Now()
	var r rules
	if q, ok := r.consoleInterrupt(now); !ok || q.Hint != "" {
		t.Errorf("the first one asks for %+v, %t", q, ok)
	}
	for range 10 {
		now = now.Add(time.Second)
		if q, ok := r.consoleInterrupt(now); ok {
			t.Errorf("a later one asks for %+v", q)
		}
	}
}
