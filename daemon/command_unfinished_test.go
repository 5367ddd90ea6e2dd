package daemon

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
)

func TestUninstall_FailureSaysWhatIsLeftAndWhatToDo(t *testing.T) {
	full := errors.New("remove /register/web: no space left on device")
	lost := fmt.Errorf("tell it: %w", context.Canceled)
	stop := func(r *register) { r.status.State, r.status.PID = service.Stopped, 0 }
	disable := func(r *register) { r.status.StartType = service.Manual }
	var tr transcript
	for _, test := range []struct {
		title, line string
		err         error
		does        func(*register) // the effect of the command before it fails
		restarts    bool            // whether starting it again succeeds
	}{
		{"nothing was done yet", "uninstall", errors.New("/register/web cannot be removed: /register is on a file system that is mounted read-only"), func(*register) {}, true},
		{"it was stopped, and started again", "uninstall", full, stop, true},
		{"it was stopped, and does not start", "uninstall", full, stop, false},
		{"it was stopped and disabled, and does not start", "uninstall", full, func(r *register) { stop(r); disable(r) }, false},
		{"it was disabled", "uninstall", full, disable, true},
		{"only its folders are left", "uninstall --purge", full, func(r *register) { r.status = service.Status{State: service.NotInstalled} }, true},
		{"interrupted, and started again", "uninstall", lost, stop, true},
		{"interrupted, and does not start again", "uninstall --purge", lost, stop, false},
		{"interrupted before anything", "uninstall", lost, func(*register) {}, true},
		{"a restart of which only the stop succeeds", "restart", errors.New("exit code 1"), stop, false},
		{"a restart that was interrupted", "restart", lost, stop, false},
	} {
		s := newShell(t)
		s.call("install --now")
		s.manager.status.StartType = service.Automatic
		s.manager.err = test.err
		s.manager.slow = func() {
			test.does(s.manager)
			s.manager.slow = func() {
				if test.restarts {
					s.manager.err = nil
				}
				s.manager.slow = nil
			}
		}
		s.manager.pid = 43
		tr.WriteString("# " + test.title + "\n")
		tr.call(s, test.line)
		if runs := s.manager.status.State == service.Running; runs != test.restarts && s.manager.status.State != service.NotInstalled {
			t.Errorf("%s: it is %s", test.title, s.manager.status.State)
		}
	}
	tr.golden(t, "unfinished")
}
