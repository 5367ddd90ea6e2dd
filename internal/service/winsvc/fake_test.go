package winsvc

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/win32"
)

// fake is a double of Windows: its service control manager, its registry and its folders. It
// enforces the documented rules, and checks that every handle is closed.
type fake struct {
	t        *testing.T
	user     bool // the caller is not an administrator
	services map[string]*fakeService
	handles  map[handle]*fakeHandle
	next     handle
	keys     map[string]map[string]value // by path in lower case, and by name
	folders  map[string]string           // the descriptors, by path
	links    map[string]bool
	lacks    map[level]bool // levels that can be neither read nor set
	untold   map[level]bool // levels that can be set but not read
	shut     bool           // services that are marked for deletion cannot be opened
	shallow  bool           // only direct dependents are returned
	locked   int            // how many starts find the database locked
	events   []string
	queries  []string
	env      map[string]string

	later []later // what others do meanwhile

	calls   []string
	failing int         // the call with this number, from 1, fails
	with    win32.Errno // with this error
	broken  bool        // and all later calls
}

type fakeHandle struct {
	access  uint32
	service *fakeService // nil for the manager
}

func newFake(t *testing.T) *fake {
	f := &fake{
		t: t, services: map[string]*fakeService{}, handles: map[handle]*fakeHandle{}, keys: map[string]map[string]value{},
		folders: map[string]string{}, links: map[string]bool{}, lacks: map[level]bool{}, untold: map[level]bool{},
		env: map[string]string{"ProgramData": `C:\ProgramData`},
	}
	f.keys[strings.ToLower(`SYSTEM\CurrentControlSet\Services\EventLog\Application`)] = map[string]value{}
	f.keys["software"] = map[string]value{}
	f.folders[`C:\ProgramData`] = "O:SYD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)(A;CI;DCLCRPCR;;;BU)"
	f.folders[`C:\Program Files\web\web.exe`] = "O:BAD:AI(A;ID;FA;;;SY)(A;ID;FA;;;BA)(A;ID;0x1200a9;;;BU)"
	for _, name := range []string{"RpcSs", "Tcpip", "Afd"} {
		f.add(name, config{Type: typeSharedProcess, Start: startAutomatic, ImagePath: `C:\Windows\System32\svchost.exe`, DisplayName: name + " of Windows", Account: localSystem})
		f.services[strings.ToLower(name)].status = status{State: win32.Running, PID: 700}
	}
	t.Cleanup(func() {
		for h, o := range f.handles {
			name := "the manager"
			if o.service != nil {
				name = o.service.name
			}
			t.Errorf("handle %d to %s, with access %#x, was not closed", h, name, o.access)
		}
	})
	return f
}

// asMade is the descriptor that CreateService gives to a service ("Service Security and Access
// Rights").
const asMade = "D:(A;;CCLCSWRPWPDTLOCRRC;;;SY)(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;BA)(A;;CCLCSWLOCRRC;;;IU)(A;;CCLCSWLOCRRC;;;SU)"

func (f *fake) add(name string, c config) *fakeService {
	s := &fakeService{
		name: name, config: c, infos: map[level]info{}, security: asMade,
		status: status{State: win32.Stopped, ExitCode: win32.ErrorServiceNeverStarted}, accepts: win32.AcceptStop | win32.AcceptPauseContinue | win32.AcceptParamChange,
	}
	s.infos[levelPreshutdown] = info{Number: 10000}
	f.services[strings.ToLower(name)] = s
	f.keys[strings.ToLower(serviceKey(name))] = map[string]value{}
	return s
}

// snapshot returns everything that an installation could change.
func (f *fake) snapshot() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(f.services)) {
		s := f.services[name]
		fmt.Fprintf(&b, "service %s %+v %q %s deleted=%t %+v\n", s.name, s.config, s.password, s.security, s.deleted, s.status)
		for _, l := range levels {
			fmt.Fprintf(&b, "  %d %+v\n", l, s.infos[l])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(f.keys)) {
		fmt.Fprintf(&b, "key %s\n", key)
		for _, name := range slices.Sorted(maps.Keys(f.keys[key])) {
			fmt.Fprintf(&b, "  %s %v\n", name, f.keys[key][name])
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(f.folders)) {
		fmt.Fprintf(&b, "folder %s %s\n", dir, f.folders[dir])
	}
	return b.String()
}

// later is done by the first call after a time.
type later struct {
	at time.Time
	do func()
}

func (f *fake) after(d time.Duration, do func()) {
	f.later = append(f.later, later{time.Now().Add(d), do})
}

// call counts a call, and returns an error if this call is to fail.
func (f *fake) call(format string, args ...any) error {
	for len(f.later) > 0 && !time.Now().Before(f.later[0].at) {
		do := f.later[0].do
		f.later = f.later[1:]
		do()
	}
	f.calls = append(f.calls, fmt.Sprintf(format, args...))
	if f.failing == len(f.calls) || f.broken && f.failing < len(f.calls) {
		return f.with
	}
	return nil
}

func (f *fake) OpenManager(access uint32) (handle, error) {
	if err := f.call("OpenSCManager %#x", access); err != nil {
		return 0, err
	}
	if f.user && access&^managerConnect != 0 {
		return 0, win32.ErrorAccessDenied
	}
	return f.open(access, nil), nil
}

func (f *fake) open(access uint32, s *fakeService) handle {
	f.next++
	f.handles[f.next] = &fakeHandle{access, s}
	if s != nil {
		s.held++
	}
	return f.next
}

func (f *fake) Close(h handle) {
	o := f.handles[h]
	if o == nil {
		f.t.Errorf("handle %d is closed, and was not open", h)
		return
	}
	delete(f.handles, h)
	if o.service != nil {
		o.service.held--
		f.reap(o.service)
	}
}

// reap removes a service that is marked for deletion once it has stopped and no handle is open.
func (f *fake) reap(s *fakeService) {
	s.advance()
	if !s.deleted || s.held > 0 || s.status.State != win32.Stopped {
		return
	}
	delete(f.services, strings.ToLower(s.name))
	prefix := strings.ToLower(serviceKey(s.name))
	maps.DeleteFunc(f.keys, func(key string, _ map[string]value) bool { return key == prefix || strings.HasPrefix(key, prefix+`\`) })
}

func (f *fake) manager(h handle, access uint32) error {
	o := f.handles[h]
	switch {
	case o == nil || o.service != nil:
		return win32.Errno(6)
	case o.access&access != access:
		return win32.ErrorAccessDenied
	}
	return nil
}

func (f *fake) service(h handle, access uint32) (*fakeService, error) {
	o := f.handles[h]
	switch {
	case o == nil || o.service == nil:
		return nil, win32.Errno(6)
	case o.access&access != access:
		return nil, win32.ErrorAccessDenied
	}
	o.service.advance()
	return o.service, nil
}

// may returns the rights that the DACL of a service gives to the caller.
func (f *fake) may(s *fakeService) (mask uint32) {
	for _, e := range parse(s.security).entries {
		switch sid := field(e, 5); {
		case sid == "BA" && !f.user, sid == "IU", sid == "BU", sid == "AU", sid == "WD":
			mask |= rightsOf(field(e, 2))
		}
	}
	return mask
}

func (f *fake) OpenService(m handle, name string, access uint32) (handle, error) {
	if err := f.call("OpenService %s %#x", name, access); err != nil {
		return 0, err
	}
	if err := f.manager(m, managerConnect); err != nil {
		return 0, err
	}
	s := f.services[strings.ToLower(name)]
	switch {
	case s == nil:
		return 0, win32.ErrorServiceDoesNotExist
	case s.deleted && f.shut:
		return 0, win32.ErrorServiceMarkedForDelete
	case access&^f.may(s) != 0:
		return 0, win32.ErrorAccessDenied
	}
	return f.open(access, s), nil
}

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func (f *fake) Started(pid uint32) (time.Time, error) {
	if err := f.call("GetProcessTimes %d", pid); err != nil {
		return time.Time{}, err
	}
	if f.user {
		return time.Time{}, win32.ErrorAccessDenied
	}
	return noon, nil
}

// Events returns the events in f.events, which has the newest first, and removes them.
func (f *fake) Events(xpath string, backwards bool, yield func(xml string) bool) error {
	if err := f.call("EvtQuery %s", xpath); err != nil {
		return err
	}
	f.queries = append(f.queries, xpath)
	list := f.events
	f.events = nil
	if !backwards {
		list = slices.Clone(list)
		slices.Reverse(list)
	}
	for _, xml := range list {
		if !yield(xml) {
			break
		}
	}
	return nil
}

func (f *fake) Getenv(name string) string { return f.env[name] }

// newManager returns a manager of a fake Windows on which every executable is safe.
func newManager(t *testing.T) (*Manager, *fake) {
	f := newFake(t)
	return &Manager{api: f, safe: func(string, bool) error { return nil }}, f
}

// web is a service as the defaults of package daemon describe it.
func web() manage.Spec {
	return manage.Spec{
		Config: service.Config{
			Executable:   `C:\Program Files\web\web.exe`,
			Arguments:    []string{"-addr", ":9090"},
			StartType:    service.Automatic,
			Dependencies: []string{"network"},
			Recovery:     service.Recovery{Delays: []time.Duration{time.Second, 5 * time.Second, time.Minute}, ResetPeriod: 24 * time.Hour},
			Hardening:    service.Hardening{Profile: service.Strict},
		},
		Name:         "web",
		DisplayName:  "Web server",
		Description:  "Serves pages.",
		Version:      "1.2.3",
		StartTimeout: time.Minute,
		StopTimeout:  30 * time.Second,
		CanPause:     true,
	}
}
