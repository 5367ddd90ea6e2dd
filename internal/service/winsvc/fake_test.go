package winsvc

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/win32"
)

// fake is the service control manager, the registry and the folders of a Windows. It
// enforces the documented rules, and that every handle is closed.
type fake struct {
	t        *testing.T
	user     bool // the caller is no Administrator
	services map[string]*fakeService
	handles  map[handle]*fakeHandle
	next     handle
	keys     map[string]map[string]value // by the path in lower case, and by the name
	folders  map[string]string           // to the descriptor
	links    map[string]bool
	lacks    map[level]bool // neither asked for nor set
	untold   map[level]bool // set, but not asked for
	shut     bool           // what is marked for deletion is not opened any more
	shallow  bool           // only direct dependents are told
	locked   int            // so many starts find the database locked
	events   []string
	queries  []string
	env      map[string]string

	later []later // what others do

	calls   []string
	failing int         // the call with this number, from 1, fails
	with    win32.Errno // with this
	broken  bool        // and all that follow
}

type fakeHandle struct {
	access  uint32
	service *fakeService // nil: the manager
}

type fakeService struct {
	name     string
	config   config
	password string
	infos    map[level]info
	security string
	deleted  bool
	held     int // handles that are open, those of other programs included
	status   status
	until    time.Time // when a pending state ends …
	then     status    // … with this

	// How the program behaves.
	takes    time.Duration
	hangs    bool
	accepts  win32.Accepted
	starts   status      // what a start ends with, RUNNING if it is zero
	pauses   win32.State // what a pause ends with, PAUSED if it is zero
	refuses  win32.Errno // what controls are answered with
	refusing int         // so many times; 0 is always
	logOn    bool        // its account cannot
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

// asMade is what CreateService gives a service: Service Security and Access Rights.
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

// snapshot is all that an installation could change.
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

// later is what happens at a time, as seen by the first call after it.
type later struct {
	at time.Time
	do func()
}

func (f *fake) after(d time.Duration, do func()) {
	f.later = append(f.later, later{time.Now().Add(d), do})
}

// call counts a call, and has it fail if it is to.
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

// reap removes a service that is marked, once it has stopped and nobody holds it.
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

// may is what the DACL of a service lets the caller do.
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

func (f *fake) CreateService(m handle, name string, access uint32, c config, password *string) (handle, error) {
	if err := f.call("CreateService %s %#x", name, access); err != nil {
		return 0, err
	}
	if err := f.manager(m, managerCreate); err != nil {
		return 0, err
	}
	if s := f.services[strings.ToLower(name)]; s != nil {
		if s.deleted {
			return 0, win32.ErrorServiceMarkedForDelete
		}
		return 0, win32.ErrorServiceExists
	}
	if err := f.valid(name, c); err != nil {
		return 0, err
	}
	secret, err := logsOn(name, c.Account, password)
	if err != nil {
		return 0, err
	}
	s := f.add(name, c)
	s.password = secret
	return f.open(access, s), nil
}

// valid checks what CreateService and ChangeServiceConfig do.
func (f *fake) valid(name string, c config) error {
	if name == "" || len(name) > 256 || strings.ContainsAny(name, `/\`) || c.ImagePath == "" || len(c.DisplayName) > 256 {
		return win32.ErrorInvalidParameter
	}
	if c.Type&typeInteractive != 0 && c.Account != localSystem {
		return win32.ErrorInvalidParameter // nobody else can interact with the desktop
	}
	for other, s := range f.services {
		if other != strings.ToLower(name) && (strings.EqualFold(s.config.DisplayName, c.DisplayName) || strings.EqualFold(s.name, c.DisplayName)) {
			return win32.ErrorDuplicateServiceName
		}
	}
	seen := map[string]bool{}
	var needs func(list []string) bool
	needs = func(list []string) bool {
		for _, d := range list {
			d = strings.ToLower(d)
			if d == strings.ToLower(name) {
				return true
			}
			if s := f.services[d]; s != nil && !seen[d] {
				seen[d] = true
				if needs(s.config.Dependencies) {
					return true
				}
			}
		}
		return false
	}
	if needs(c.Dependencies) {
		return win32.ErrorCircularDependency
	}
	return nil
}

// logsOn checks an account and its password: CreateService, lpServiceStartName and
// lpPassword.
func logsOn(name, account string, password *string) (string, error) {
	lower := strings.ToLower(account)
	switch {
	case account == localSystem, account == localService, account == networkService:
		if password == nil || *password != "" {
			return "", win32.ErrorInvalidServiceAccount
		}
		return "", nil
	case strings.HasPrefix(lower, `nt service\`):
		if password != nil || lower != `nt service\`+strings.ToLower(name) {
			return "", win32.ErrorInvalidServiceAccount
		}
		return "", nil
	case strings.HasSuffix(account, "$") && strings.Contains(account, `\`) && account[0] != '.', strings.Contains(account, "$@"):
		if password != nil {
			return "", win32.ErrorInvalidServiceAccount
		}
		return "", nil
	case strings.ContainsAny(account, `\@`) && !strings.HasSuffix(account, `\nobody`) && password != nil:
		return *password, nil
	}
	return "", win32.ErrorInvalidServiceAccount
}

func (f *fake) DeleteService(h handle) error {
	if err := f.call("DeleteService"); err != nil {
		return err
	}
	s, err := f.service(h, accessDelete)
	switch {
	case err != nil:
		return err
	case s.deleted:
		return win32.ErrorServiceMarkedForDelete
	}
	s.deleted = true
	return nil
}

func (f *fake) QueryConfig(h handle) (config, error) {
	if err := f.call("QueryServiceConfig"); err != nil {
		return config{}, err
	}
	s, err := f.service(h, accessQueryConfig)
	if err != nil {
		return config{}, err
	}
	return s.config, nil
}

func (f *fake) ChangeConfig(h handle, c config) error {
	if err := f.call("ChangeServiceConfig"); err != nil {
		return err
	}
	s, err := f.service(h, accessChangeConfig)
	switch {
	case err != nil:
		return err
	case s.deleted:
		return win32.ErrorServiceMarkedForDelete
	}
	c.Account = s.config.Account
	if err := f.valid(s.name, c); err != nil {
		return err
	}
	s.config = c
	return nil
}

func (f *fake) ChangeAccount(h handle, account string, password *string) error {
	if err := f.call("ChangeServiceConfig %s", account); err != nil {
		return err
	}
	s, err := f.service(h, accessChangeConfig)
	switch {
	case err != nil:
		return err
	case s.deleted:
		return win32.ErrorServiceMarkedForDelete
	}
	secret, err := logsOn(s.name, account, password)
	if err != nil {
		return err
	}
	c := s.config
	c.Account = account
	if err := f.valid(s.name, c); err != nil {
		return err
	}
	s.config.Account, s.password = account, secret
	return nil
}

func (f *fake) QueryInfo(h handle, l level) (info, error) {
	if err := f.call("QueryServiceConfig2 %d", l); err != nil {
		return info{}, err
	}
	s, err := f.service(h, accessQueryConfig)
	switch {
	case err != nil:
		return info{}, err
	case f.lacks[l] || f.untold[l]:
		return info{}, win32.ErrorInvalidLevel
	}
	return s.infos[l], nil
}

func (f *fake) ChangeInfo(h handle, l level, i info) error {
	if err := f.call("ChangeServiceConfig2 %d", l); err != nil {
		return err
	}
	access := uint32(accessChangeConfig)
	if slices.ContainsFunc(i.Failure.Actions, func(a action) bool { return a.Type == actionRestart }) {
		access |= accessStart // "If the service controller handles the SC_ACTION_RESTART action, hService must have SERVICE_START"
	}
	s, err := f.service(h, access)
	switch {
	case err != nil:
		return err
	case s.deleted:
		return win32.ErrorServiceMarkedForDelete
	case f.lacks[l]:
		return win32.ErrorInvalidLevel
	case l == levelDelayed && i.Flag && s.config.Start != startAutomatic:
		return win32.ErrorInvalidParameter
	}
	s.infos[l] = i
	return nil
}

func (f *fake) ServiceSecurity(h handle) (string, error) {
	if err := f.call("QueryServiceObjectSecurity"); err != nil {
		return "", err
	}
	s, err := f.service(h, accessReadControl)
	if err != nil {
		return "", err
	}
	return strings.Replace(s.security, "D:", "D:AI", 1), nil // they do not come back as they were
}

func (f *fake) SetServiceSecurity(h handle, sddl string) error {
	if err := f.call("SetServiceObjectSecurity %s", sddl); err != nil {
		return err
	}
	s, err := f.service(h, accessWriteDAC)
	if err != nil {
		return err
	}
	s.security = plain(sddl) // flags are of no use to it
	return nil
}

func (f *fake) Privilege(name string) error {
	if err := f.call("LookupPrivilegeValue %s", name); err != nil {
		return err
	}
	if !service.Privilege(name) && name != "SeNewPrivilege" {
		return win32.ErrorNoSuchPrivilege
	}
	return nil
}

func (f *fake) Canonical(sddl string) (string, error) {
	if err := f.call("ConvertStringSecurityDescriptorToSecurityDescriptor"); err != nil {
		return "", err
	}
	if len(sddl) < 2 || sddl[1] != ':' {
		return "", win32.ErrorInvalidParameter
	}
	return sddl, nil // a descriptor needs no DACL
}

// advance lets time pass.
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

// dependents are the services that need s, and are active or not. With deep, they are all
// that do, in the reverse of the order in which they start, as Windows has them.
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

func (f *fake) ReadValue(key, name string) (value, error) {
	if err := f.call("RegQueryValueEx %s %s", key, name); err != nil {
		return value{}, err
	}
	v, ok := f.keys[strings.ToLower(key)][name]
	if !ok {
		return value{}, win32.ErrorFileNotFound
	}
	return v, nil
}

func (f *fake) WriteValue(key, name string, v value) error {
	if err := f.call("RegSetValueEx %s %s", key, name); err != nil {
		return err
	}
	k, ok := f.keys[strings.ToLower(key)]
	switch {
	case f.user:
		return win32.ErrorAccessDenied
	case !ok:
		return win32.ErrorFileNotFound
	}
	k[name] = v
	return nil
}

func (f *fake) DeleteValue(key, name string) error {
	if err := f.call("RegDeleteValue %s %s", key, name); err != nil {
		return err
	}
	k := f.keys[strings.ToLower(key)]
	if _, ok := k[name]; !ok {
		return win32.ErrorFileNotFound
	}
	delete(k, name)
	return nil
}

func (f *fake) CreateKey(key string) (bool, error) {
	if err := f.call("RegCreateKeyEx %s", key); err != nil {
		return false, err
	}
	key = strings.ToLower(key)
	above := key[:strings.LastIndexByte(key, '\\')]
	switch {
	case f.user:
		return false, win32.ErrorAccessDenied
	case f.keys[key] != nil:
		return false, nil
	case f.keys[above] == nil:
		f.t.Errorf("the key %s is made without the one above it", key)
	}
	f.keys[key] = map[string]value{}
	return true, nil
}

func (f *fake) DeleteKey(key string) error {
	if err := f.call("RegDeleteKey %s", key); err != nil {
		return err
	}
	key = strings.ToLower(key)
	switch {
	case f.keys[key] == nil:
		return win32.ErrorFileNotFound
	case f.user:
		return win32.ErrorAccessDenied
	}
	delete(f.keys, key)
	return nil
}

func (f *fake) Security(path string) (string, bool, error) {
	if err := f.call("GetSecurityInfo %s", path); err != nil {
		return "", false, err
	}
	sddl, ok := f.folders[path]
	switch {
	case !ok:
		return "", false, win32.ErrorFileNotFound
	case f.user && protected(sddl) && !strings.Contains(sddl, ";BU)"):
		return "", false, win32.ErrorAccessDenied
	}
	return sddl, f.links[path], nil
}

func (f *fake) SetSecurity(path, sddl string) error {
	if err := f.call("SetNamedSecurityInfo %s %s", path, sddl); err != nil {
		return err
	}
	old, ok := f.folders[path]
	switch {
	case !ok:
		return win32.ErrorFileNotFound
	case f.user:
		return win32.ErrorAccessDenied
	case f.links[path]:
		return errLink
	case parse(sddl).owner == "":
		sddl = "O:" + parse(old).owner + sddl
	}
	f.folders[path] = sddl
	return nil
}

func (f *fake) MakeFolder(path, sddl string) error {
	if err := f.call("CreateDirectory %s", path); err != nil {
		return err
	}
	switch {
	case f.user:
		return win32.ErrorAccessDenied
	case f.folders[path] != "":
		return win32.ErrorAlreadyExists
	case f.folders[path[:strings.LastIndexByte(path, '\\')]] == "":
		return win32.ErrorPathNotFound
	}
	f.folders[path] = sddl
	return nil
}

func (f *fake) RemoveFolder(path string) error {
	if err := f.call("RemoveDirectory %s", path); err != nil {
		return err
	}
	for other := range f.folders {
		if strings.HasPrefix(other, path+`\`) {
			return win32.Errno(145) // ERROR_DIR_NOT_EMPTY
		}
	}
	delete(f.folders, path)
	return nil
}

func (f *fake) RemoveAll(path string) error {
	if err := f.call("RemoveAll %s", path); err != nil {
		return err
	}
	maps.DeleteFunc(f.folders, func(other, _ string) bool { return other == path || strings.HasPrefix(other, path+`\`) })
	return nil
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

// Events has all that are in f.events, the newest first there, once.
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

// newManager is a manager of a fake Windows, where every executable is safe.
func newManager(t *testing.T) (*Manager, *fake) {
	f := newFake(t)
	return &Manager{api: f, safe: func(string, bool) error { return nil }}, f
}

// web is a service as the defaults of package daemon describe it.
func web() service.Spec {
	return service.Spec{
		Name: "web", DisplayName: "Web server", Description: "Serves pages.", Version: "1.2.3",
		Executable: `C:\Program Files\web\web.exe`, Args: []string{"-addr", ":9090"},
		Start: service.Automatic, Needs: []string{"network"},
		Recovery:     service.Recovery{Delays: []time.Duration{time.Second, 5 * time.Second, time.Minute}, Reset: 24 * time.Hour},
		StartTimeout: time.Minute, StopTimeout: 30 * time.Second,
		Hardening: service.Hardening{Profile: service.Strict}, CanPause: true,
	}
}
