package daemontest

import (
	"fmt"
	"slices"

	"github.com/go-glidepath/glidepath/internal/win32"
)

// statusRule checks what a service reports.
type statusRule struct {
	page string // where the rule is documented

	// broken returns what the service did wrong, or "". last is its previous report, which
	// was not STOPPED, or zero if there was none.
	broken func(last, next Status) string
}

var statusRules = []statusRule{
	{"Service State Transitions", func(last, next Status) string {
		switch {
		case last.State == 0 && next.State != StartPending && next.State != Stopped:
			return fmt.Sprintf("first reported %s: want START_PENDING, or STOPPED if it cannot start", next.State)
		case last.State != 0 && last.State != next.State && !slices.Contains(transitions[last.State], next.State):
			return fmt.Sprintf("went from %s to %s", last.State, next.State)
		}
		return ""
	}},

	{"SERVICE_STATUS, dwCheckPoint", func(last, next Status) string {
		switch pending := next.State.pending(); {
		case !pending && next.CheckPoint != 0:
			return fmt.Sprintf("reported checkpoint %d in %s: want 0 in a state that is not pending", next.CheckPoint, next.State)
		case pending && next.State == last.State && next.CheckPoint <= last.CheckPoint:
			return fmt.Sprintf("reported checkpoint %d after %d in %s: want a higher one", next.CheckPoint, last.CheckPoint, next.State)
		}
		return ""
	}},

	{"SERVICE_STATUS, dwWaitHint", func(_, next Status) string {
		switch pending := next.State.pending(); {
		case !pending && next.WaitHint != 0:
			return fmt.Sprintf("reported a wait hint of %s in %s: want 0 in a state that is not pending", next.WaitHint, next.State)
		case pending && next.WaitHint <= 0:
			return fmt.Sprintf("reported a wait hint of %s in %s: it is hung at once", next.WaitHint, next.State)
		}
		return ""
	}},

	{"SERVICE_STATUS, dwControlsAccepted", func(_, next Status) string {
		if unknown := next.ControlsAccepted &^ Accepted(win32.AcceptAll); unknown != 0 {
			return fmt.Sprintf("accepts controls that do not exist, %s", unknown)
		}
		return ""
	}},

	// A control that arrives while the service starts can crash it. In STOP_PENDING and
	// STOPPED the manager sends none ("Service State Transitions").
	{"SetServiceStatus, Remarks", func(_, next Status) string {
		switch next.State {
		case StartPending, StopPending, Stopped:
			if next.ControlsAccepted != 0 {
				return fmt.Sprintf("accepts %s in %s: want nothing", next.ControlsAccepted, next.State)
			}
		}
		return ""
	}},

	{"HandlerEx, SERVICE_CONTROL_SHUTDOWN", func(_, next Status) string {
		if next.ControlsAccepted.Has(AcceptShutdown | AcceptPreshutdown) {
			return "accepts SHUTDOWN, but has stopped by then, as it also accepts PRESHUTDOWN"
		}
		return ""
	}},

	{"SERVICE_STATUS, dwWin32ExitCode", func(_, next Status) string {
		if next.State == Stopped || next.Win32ExitCode == NoError {
			return ""
		}
		return fmt.Sprintf("reported exit code %d in %s: want 0 until it has stopped", uint32(next.Win32ExitCode), next.State)
	}},

	{"SERVICE_STATUS, dwServiceSpecificExitCode", func(_, next Status) string {
		if (next.Win32ExitCode == ErrorServiceSpecific) == (next.ServiceSpecificExitCode != 0) {
			return ""
		}
		return fmt.Sprintf("reported service-specific exit code %d with exit code %d: want one if, and only if, the exit code is %d",
			next.ServiceSpecificExitCode, uint32(next.Win32ExitCode), uint32(ErrorServiceSpecific))
	}},
}

// transitions is the diagram of "Service State Transitions" and two more: the diagram has
// no Pause that fails and no Continue that fails. .NET's ServiceBase reports these
// transitions in that case.
var transitions = map[State][]State{
	StartPending:    {Running, StopPending, Stopped},
	Running:         {PausePending, Paused, StopPending, Stopped},
	PausePending:    {Paused, Running, StopPending, Stopped},
	Paused:          {ContinuePending, Running, StopPending, Stopped},
	ContinuePending: {Running, Paused, StopPending, Stopped},
	StopPending:     {Stopped},
}
