package logevent

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/zap"
)

func TestAll_NamesAndIDsAreUnique(t *testing.T) {
	id := regexp.MustCompile(`^[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}$`) // the format of systemd-id128 new
	seen := make(map[string]Event)
	for i, e := range All() {
		if int(e) != i+1 {
			t.Errorf("event %d is number %d", e, i+1)
		}
		if !id.MatchString(e.MessageID()) {
			t.Errorf("%s: MESSAGE_ID %q", e, e.MessageID())
		}
		for _, s := range []string{e.String(), e.MessageID()} {
			if other, twice := seen[s]; twice || s == "" {
				t.Errorf("%d and %d are both %q", e, other, s)
			}
			seen[s] = e
		}
	}
	if n := len(All()); All()[n-1] != LevelChanged {
		t.Errorf("%d events, the last is %s", n, All()[n-1])
	}
}

// Users have these IDs in their filters and rules.
func TestMessageID_NeverChanges(t *testing.T) {
	for e, want := range map[Event]string{
		Ready:        "a7f582f02b354a2990f61ae5e2f22ec3",
		LevelChanged: "84b278b5e53541edb1671ef4de1957f8",
	} {
		if got := e.MessageID(); got != want {
			t.Errorf("%s: %s, was %s", e, got, want)
		}
	}
	if Ready != 2 || Stopped != 4 || Failed != 5 || Crashed != 12 || LevelChanged != 14 {
		t.Error("an event has another number than it had")
	}
}

func TestMessageID_IsInTheReference(t *testing.T) {
	b, err := os.ReadFile("../../../daemon/docs/reference.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range All() {
		if row := fmt.Sprintf("| %d | `%s` |", e, e.MessageID()); !strings.Contains(string(b), row) {
			t.Errorf("%s: there is no %s", e, row)
		}
	}
}

func TestMessageID_UndefinedEvent(t *testing.T) {
	for _, e := range []Event{0, LevelChanged + 1, 255} {
		if e.MessageID() != "" || e.String() == "" {
			t.Errorf("%d is %q with id %q", e, e, e.MessageID())
		}
	}
}

func TestOf_AcceptsOnlyOurField(t *testing.T) {
	fields := []zap.Field{zap.String(Key, "ready"), zap.Int("n", 1)}
	if got := Of(fields); got != 0 {
		t.Errorf("a string is taken for %s", got)
	}
	if got := Of(append(fields, Stopped.Field())); got != Stopped {
		t.Errorf("got %s", got)
	}
	if n := testing.AllocsPerRun(100, func() { _ = Stopped.Field() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
