package console

import (
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/host"
)

func TestCtrlCAndCtrlBreakHaveNoLimitOfTheirOwn(t *testing.T) {
	now := time.Now()
	r := rules{terminal: true}
	q, ok := r.consoleInterrupt(now)
	if !ok || q.Action != host.Stop || q.Trigger != host.TriggerInterrupt || q.Detail != "CTRL_C or CTRL_BREAK" || q.Budget != 0 {
		t.Errorf("the first one asks for %+v, %t", q, ok)
	}
	if q, ok := r.consoleInterrupt(now.Add(secondInterrupt - 1)); ok {
		t.Errorf("one that is the same one twice asks for %+v", q)
	}
	q, ok = r.consoleInterrupt(now.Add(secondInterrupt))
	if !ok || q.Action != host.Force || q.Signal != 2 {
		t.Errorf("the second one asks for %+v, %t", q, ok)
	}
}

func TestAConsoleThatClosesSaysHowMuchTimeThereIs(t *testing.T) {
	for range 2 { // also after another one
		q, ok := consoleClose()
		if !ok || q.Action != host.Stop || q.Trigger != host.TriggerConsoleClose || q.Budget != 4500*time.Millisecond {
			t.Errorf("it asks for %+v, %t", q, ok)
		}
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
