package daemontest

import (
	"context"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/daemon"
)

// asks implements a program whose methods check what the manager knows.
type asks struct {
	pause, resume, stop func()
}

func (asks) Start(context.Context) error      { return nil }
func (p asks) Pause(context.Context) error    { p.pause(); return nil }
func (p asks) Continue(context.Context) error { p.resume(); return nil }
func (p asks) Stop(context.Context) error     { p.stop(); return nil }

// often is the number of repetitions of a test for a fault that may occur only most of the
// time.
const often = 50

func TestSCM_ReportsTheStateBeforeTheCall(t *testing.T) {
	for range often {
		s := &SCM{}
		var seen []string
		look := func() {
			s.lock()
			defer s.unlock()
			seen = append(seen, s.status.State.String())
		}
		_ = Drive(t, s, asks{look, look, look}, daemon.Config{}, func() {
			_ = s.Control(ControlPause)
			Sleep(0)
			_ = s.Control(ControlContinue)
			Sleep(0)
			_ = s.Control(ControlStop)
		})
		if got := strings.Join(seen, " "); got != "PAUSE_PENDING CONTINUE_PENDING STOP_PENDING" {
			t.Fatalf("it sees %s", got)
		}
	}
}

func TestSystemd_IsToldBeforeStopIsCalled(t *testing.T) {
	for range often {
		s := &Systemd{}
		_ = Drive(t, s, asks{stop: func() {
			messages := s.Messages()
			if last := messages[len(messages)-1].Text; !strings.Contains(last, "STOPPING=1") {
				t.Errorf("when Stop is called, the last message is %q", last)
			}
		}}, daemon.Config{}, func() { Sleep(0) })
	}
}
