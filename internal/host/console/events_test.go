package console

import (
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/host"
)

func TestConsoleInterrupt_HasNoBudget(t *testing.T) {
	now := time.Now()
	r, e := rules{terminal: true}, &events{}
	q, ok := r.consoleInterrupt(e, now)
	if !ok || q.Action != host.Stop || q.Trigger != host.TriggerInterrupt || q.Detail != "CTRL_C or CTRL_BREAK" || q.Budget != 0 {
		t.Errorf("the first one asks for %+v, %t", q, ok)
	}
	if q, ok := r.consoleInterrupt(e, now.Add(secondInterrupt-1)); ok {
		t.Errorf("one that is the same one twice asks for %+v", q)
	}
	q, ok = r.consoleInterrupt(e, now.Add(secondInterrupt))
	if !ok || q.Action != host.Force || q.Signal != 2 {
		t.Errorf("the second one asks for %+v, %t", q, ok)
	}
}

func TestConsoleClose_HasABudget(t *testing.T) {
	for range 2 { // the second one too
		q, ok := consoleClose(&events{})
		if !ok || q.Action != host.Stop || q.Trigger != host.TriggerConsoleClose || q.Budget != 4500*time.Millisecond {
			t.Errorf("it asks for %+v, %t", q, ok)
		}
	}
}

func TestInterrupt_RepeatedUnderAManager(t *testing.T) {
	now := time.Now()
	var r rules
	if q, ok := r.consoleInterrupt(&events{}, now); !ok || q.Hint != "" {
		t.Errorf("the first one asks for %+v, %t", q, ok)
	}
	for range 10 {
		now = now.Add(time.Second)
		if q, ok := r.consoleInterrupt(&events{}, now); ok {
			t.Errorf("a later one asks for %+v", q)
		}
	}
}

func TestEvents_AreDistinguished(t *testing.T) {
	var e events
	r := rules{terminal: true}
	now := time.Now()
	for event, want := range map[uint32]string{0: "CTRL_C", 1: "CTRL_BREAK", 2: "CTRL_CLOSE", 5: "CTRL_LOGOFF", 6: "CTRL_SHUTDOWN"} {
		e.record(event)
		e.record(77) // not an event
		r.first = time.Time{}
		q, _ := r.consoleInterrupt(&e, now)
		if event >= 2 {
			q, _ = consoleClose(&e)
		}
		if q.Detail != want {
			t.Errorf("event %d is %s, want %s", event, q.Detail, want)
		}
	}
}
