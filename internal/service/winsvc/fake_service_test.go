package winsvc

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/internal/win32"
)

type fakeService struct {
	name     string
	config   config
	password string
	infos    map[level]info
	security string
	deleted  bool
	held     int // the number of open handles, including those of other programs
	status   status
	until    time.Time // when a pending state ends …
	then     status    // … with this

	// How the program behaves.
	takes    time.Duration
	hangs    bool
	accepts  win32.Accepted
	starts   status      // the status at the end of a start, RUNNING if it is zero
	pauses   win32.State // the state at the end of a pause, PAUSED if it is zero
	refuses  win32.Errno // the answer to controls
	refusing int         // how often, 0 for always
	logOn    bool        // its account cannot log on
}

// advance updates the status to the current time.
func (s *fakeService) advance() {
	switch {
	case !pending(s.status.State) || s.hangs:
	case !time.Now().Before(s.until):
		s.status = s.then
	default:
		s.status.CheckPoint = uint32(1 + (s.takes-time.Until(s.until))/time.Second)
	}
}

func (s *fakeService) turn(through win32.State, to status) {
	s.status = status{State: through, CheckPoint: 1, WaitHint: 3 * time.Second, PID: 4711}
	s.until, s.then = time.Now().Add(s.takes), to
}

func (s *fakeService) running(state win32.State) status {
	return status{State: state, Accepted: s.accepts, PID: 4711}
}

func (f *fake) StartService(h handle) error {
	if err := f.call("StartService"); err != nil {
		return err
	}
	s, err := f.service(h, accessStart)
	switch {
	case err != nil:
		return err
	case f.locked > 0:
		f.locked--
		return win32.ErrorServiceDatabaseLocked
	case s.deleted:
		return win32.ErrorServiceMarkedForDelete
	case s.config.Start == startDisabled:
		return win32.ErrorServiceDisabled
	case s.status.State != win32.Stopped:
		return win32.ErrorServiceAlreadyRunning
	case s.logOn:
		s.status = status{State: win32.Stopped, ExitCode: win32.ErrorServiceLogonFailed}
		return win32.ErrorServiceLogonFailed
	}
	for _, d := range s.config.Dependencies {
		needed := f.services[strings.ToLower(d)]
		switch {
		case strings.HasPrefix(d, "+"):
		case needed == nil || needed.deleted:
			return win32.ErrorServiceDependencyDeleted
		case needed.status.State != win32.Running && needed.config.Start == startDisabled:
			return win32.ErrorServiceDependencyFail
		case needed.status.State != win32.Running:
			needed.status = needed.running(win32.Running)
		}
	}
	if exe := executable(s.config.ImagePath); f.folders[exe] == "" {
		return win32.ErrorFileNotFound
	}
	to := s.starts
	if to.State == 0 {
		to = s.running(win32.Running)
	}
	s.turn(win32.StartPending, to)
	return nil
}

func (f *fake) ControlService(h handle, code win32.Control) error {
	if err := f.call("ControlService %d", code); err != nil {
		return err
	}
	access, accept := uint32(accessPauseContinue), win32.AcceptPauseContinue
	switch code {
	case win32.ControlStop:
		access, accept = accessStop, win32.AcceptStop
	case win32.ControlParamChange:
		accept = win32.AcceptParamChange
	}
	s, err := f.service(h, access)
	switch {
	case err != nil:
		return err
	case s.status.State == win32.Stopped:
		return win32.ErrorServiceNotActive
	case code == win32.ControlStop && len(f.dependents(s, true, false)) > 0:
		return win32.ErrorDependentServicesRunning
	case s.status.State == win32.StartPending || s.status.State == win32.StopPending:
		return win32.ErrorServiceCannotAcceptCtrl
	case s.status.Accepted&accept == 0:
		return win32.ErrorInvalidServiceControl
	case s.refuses != 0:
		e := s.refuses
		if s.refusing--; s.refusing == 0 {
			s.refuses = 0
		}
		return e
	}
	switch code {
	case win32.ControlStop:
		s.turn(win32.StopPending, status{State: win32.Stopped})
	case win32.ControlPause:
		to := s.pauses
		if to == 0 {
			to = win32.Paused
		}
		s.turn(win32.PausePending, s.running(to))
	case win32.ControlContinue:
		s.turn(win32.ContinuePending, s.running(win32.Running))
	}
	return nil
}

func (f *fake) QueryStatus(h handle) (status, error) {
	if err := f.call("QueryServiceStatusEx"); err != nil {
		return status{}, err
	}
	s, err := f.service(h, accessQueryStatus)
	if err != nil {
		return status{}, err
	}
	return s.status, nil
}

// dependents returns the services that depend on s and are active or not. With deep, it includes
// those that depend indirectly, in the reverse of the order in which they start, like Windows.
func (f *fake) dependents(s *fakeService, active, deep bool) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(f.services)) {
		other := f.services[name]
		other.advance()
		if !slices.ContainsFunc(other.config.Dependencies, func(d string) bool { return strings.EqualFold(d, s.name) }) {
			continue
		}
		if deep {
			names = append(names, f.dependents(other, active, deep)...)
		}
		if (other.status.State != win32.Stopped) == active {
			names = append(names, other.name)
		}
	}
	return unique(names)
}

func (f *fake) Dependents(h handle, active bool) ([]string, error) {
	if err := f.call("EnumDependentServices"); err != nil {
		return nil, err
	}
	s, err := f.service(h, accessDependents)
	if err != nil {
		return nil, err
	}
	return f.dependents(s, active, !f.shallow), nil
}
