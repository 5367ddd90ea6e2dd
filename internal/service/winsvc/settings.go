package winsvc

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/envfile"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// settings holds everything that can be set for a service.
type settings struct {
	config
	Description string
	Delayed     bool
	SID         uint32
	Privileges  []string // if empty, it keeps those of its account
	Failure     failureActions
	NonCrash    bool
	Preshutdown uint32   // milliseconds; 0 leaves it as it is
	Environment []string // NAME=value
	Security    string   // SDDL; "" leaves it as it is
	Mark        string   // the version of the program
	Paths       []string // that it may write to

	// lacks has the levels that this version of Windows does not answer for.
	lacks map[level]bool
}

// network lists what a service that needs the network depends on: the protocol and, for sockets,
// the Ancillary Function Driver, like the DHCP client of Windows
// (https://mskb.pkisolutions.com/kb/193888). Every Windows has both drivers, and nobody disables
// them. No service tells when addresses are available. The DHCP client and the DNS cache start
// later, but on a machine where one of them is disabled, such as a server with a fixed address, the
// service would never start (error 1068). NlaSvc tells which network it is, not that it is
// available, and newer versions of Windows start it on demand.
var network = []string{"Tcpip", "Afd"}

// privileges lists the privileges that a process keeps, for each profile except None.
//
// Every process has SeChangeNotify, to pass through folders that it may not list. A Go program
// needs nothing else to serve the network, on any port. Lenient also keeps the other privileges of
// every service: SeCreateGlobal, for shared memory that other sessions see, and SeImpersonate, to
// act for a client. Because of the latter, Lenient is not the default: an attacker who controls
// the process could become LocalSystem by making a service of the system connect to a pipe.
var privileges = map[service.Profile][]string{
	service.Strict:    {"SeChangeNotifyPrivilege"},
	service.Network:   {"SeChangeNotifyPrivilege"},
	service.Localhost: {"SeChangeNotifyPrivilege"},
	service.LowPorts:  {"SeChangeNotifyPrivilege"},
	service.Lenient:   {"SeChangeNotifyPrivilege", "SeCreateGlobalPrivilege", "SeImpersonatePrivilege"},
}

// want returns the settings that s asks for, as far as Windows has them.
func want(s manage.Spec, getenv func(string) string) (w settings) {
	name := s.ServiceName()
	w.config = config{
		Type:         typeOwnProcess,
		Start:        startAutomatic,
		ErrorControl: errorControlNormal,
		ImagePath:    compose(s.Executable, s.Arguments),
		DisplayName:  cmp.Or(s.DisplayName, name),
		Account:      account(s.Account, name),
		Dependencies: dependencies(s),
	}
	w.Description = s.Description
	if s.Template && s.Instance != "" && s.DisplayName != "" {
		w.DisplayName += " (" + s.Instance + ")" // no two services can have the same display name
	}
	w.Mark = cmp.Or(s.Version, "unknown")
	w.SID = sidUnrestricted
	switch s.StartType {
	case service.Delayed:
		w.Delayed = true
	case service.Manual:
		w.config.Start = startDemand
	case service.Disabled:
		w.config.Start = startDisabled
	}
	w.Failure, w.NonCrash = recovery(s.Recovery)
	if s.Preshutdown {
		// The service reserves one second of it.
		w.Preshutdown = milliseconds(cmp.Or(s.Windows.PreshutdownTimeout, s.StopTimeout+time.Second))
	}
	w.Environment = environment(s, getenv)
	w.Privileges = requiredPrivileges(s.Hardening)
	w.Security = s.Windows.SecurityDescriptor
	w.Paths = unique(s.Hardening.WritablePaths)
	return w
}

// dependencies returns the services and groups that have to run before s.
func dependencies(s manage.Spec) (list []string) {
	for _, need := range s.Dependencies {
		if need == "network" {
			list = append(list, network...)
		} else {
			list = append(list, need)
		}
	}
	return unique(append(list, s.Windows.Dependencies...))
}

// environment returns the variables that the manager sets for the service.
func environment(s manage.Spec, getenv func(string) string) (list []string) {
	for _, v := range dirs.System("windows", s.ServiceName(), getenv).Vars() {
		list = append(list, v.Name+"="+v.Dir)
	}
	if s.Template {
		list = append(list, "SERVICE_INSTANCE="+s.Instance)
	}
	if s.EnvironmentFile != "" {
		list = append(list, envfile.Variable+"="+s.EnvironmentFile)
	}
	for _, v := range manage.Vars(s.Environment) {
		list = append(list, v.Name+"="+v.Value)
	}
	return list
}

// requiredPrivileges returns the privileges that the service keeps, or none if it keeps all
// that its account has.
func requiredPrivileges(h service.Hardening) []string {
	list := slices.Clone(privileges[h.Profile])
	for _, c := range h.Capabilities {
		if strings.HasPrefix(c, "Se") && h.Profile != service.Unconfined {
			list = append(list, c)
		}
	}
	return unique(list)
}

// unsupported returns a warning for each thing that s asks for and no Windows has.
func unsupported(s manage.Spec) (warnings []string) {
	for _, w := range []struct {
		asked bool
		text  string
	}{
		{s.StartType == service.OnSocket, "Start: Windows does not start a service when a client connects; it is started with the machine"},
		{s.Hardening.Profile == service.Localhost, "Hardening.Profile: Windows does not restrict a service to localhost; use a firewall rule"},
		{len(s.Hardening.AddressFamilies) > 0, "Hardening.AddressFamilies: Windows does not restrict address families; the service may use all"},
		{s.Limits != (service.Limits{}), "Limits: Windows has no limits for services; the service runs without them"},
		{s.Watchdog > 0, "Watchdog: Windows has no watchdog for services; the service is not restarted when it hangs"},
		{s.EnvironmentFile != "", "EnvironmentFile: Windows does not read it; the program reads it when it runs, and its account needs the right to do so"},
		{s.FileDescriptorStore > 0, "FileDescriptorStore: Windows keeps no files open across a restart"},
		{len(s.Sockets) > 0, "Sockets: Windows does not listen for a service; the program has to listen itself"},
	} {
		if w.asked {
			warnings = append(warnings, w.text)
		}
	}
	return warnings
}

// recovery returns what the manager does after failures, and whether it does so after exit codes
// too.
func recovery(r service.Recovery) (f failureActions, nonCrash bool) {
	if r.Never {
		return f, false
	}
	f.Reset = uint32(min((r.ResetPeriod+time.Second-1)/time.Second, math.MaxUint32-1)) // MaxUint32 means never
	for _, d := range r.Delays {
		f.Actions = append(f.Actions, action{actionRestart, milliseconds(d)})
	}
	return f, !r.CrashOnly
}

// milliseconds rounds d up, so that a short time does not become 0.
func milliseconds(d time.Duration) uint32 {
	return uint32(min((d+time.Millisecond-1)/time.Millisecond, math.MaxUint32-1))
}

// unique returns list without repetitions. It ignores case.
func unique(list []string) (kept []string) {
	for _, s := range list {
		if !slices.ContainsFunc(kept, func(k string) bool { return strings.EqualFold(k, s) }) {
			kept = append(kept, s)
		}
	}
	return kept
}

// text returns the settings, one per line. It omits settings that w, the wanted ones, does not
// change, and notes what this version of Windows does not tell.
func (s settings) text(w settings) string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		b.WriteString(strings.TrimRight(name+": "+fmt.Sprintf(format, args...), " ") + "\n")
	}
	leveled := func(l level, name, text string) {
		if w.lacks[l] && l != levelFailureActions {
			text = "not available in this version of Windows"
		}
		line(name, "%s", text)
	}
	line("ImagePath", "%s", s.ImagePath)
	line("DisplayName", "%s", s.DisplayName)
	leveled(levelDescription, "Description", s.Description)
	line("Type", "%s", serviceType(s.Type))
	line("StartType", "%s", startType(s.config.Start))
	leveled(levelDelayed, "DelayedAutoStart", yesNo(s.Delayed))
	line("ErrorControl", "%s", errorControl(s.ErrorControl))
	line("Dependencies", "%s", strings.Join(s.Dependencies, ", "))
	line("Account", "%s", account(s.Account, ""))
	leveled(levelSID, "ServiceSidType", sidType(s.SID))
	leveled(levelPrivileges, "RequiredPrivileges", cmp.Or(strings.Join(s.Privileges, ", "), "all of the account"))
	if w.lacks[levelFailureActions] {
		line("FailureActions", "%s (this version of Windows does not tell them)", w.Failure)
	} else {
		line("FailureActions", "%s", s.Failure)
	}
	leveled(levelNonCrash, "FailureActionsOnNonCrashFailures", yesNo(s.NonCrash))
	if w.Preshutdown != 0 {
		leveled(levelPreshutdown, "PreshutdownTimeout", (time.Duration(s.Preshutdown) * time.Millisecond).String())
	}
	for _, v := range s.Environment {
		line("Environment", "%s", v)
	}
	if w.Security != "" {
		line("SecurityDescriptor", "%s", s.Security)
	}
	for _, p := range s.Paths {
		line("Writable", "%s", p)
	}
	line(`Parameters\`+markName, "%s", s.Mark)
	return b.String()
}

func (f failureActions) String() string {
	if len(f.Actions) == 0 {
		return "none"
	}
	var list []string
	for _, a := range f.Actions {
		d := time.Duration(a.Delay) * time.Millisecond
		switch a.Type {
		case actionNone:
			list = append(list, "nothing")
		case actionRestart:
			list = append(list, "restart after "+d.String())
		case actionReboot:
			list = append(list, "reboot after "+d.String())
		case actionCommand:
			list = append(list, "run a command after "+d.String())
		default:
			list = append(list, fmt.Sprintf("action %d after %s", a.Type, d))
		}
	}
	s := strings.Join(list, ", ")
	if f.Reset == math.MaxUint32 {
		return s + "; the count is never reset"
	}
	return s + "; the count is reset after " + (time.Duration(f.Reset) * time.Second).String()
}

// yesNo returns "yes" or "no".
func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// serviceType returns a service type in words.
func serviceType(t uint32) string {
	s := fmt.Sprintf("%#x", t&^typeInteractive)
	switch t &^ typeInteractive {
	case typeOwnProcess:
		s = "own process"
	case typeSharedProcess:
		s = "shared process"
	}
	if t&typeInteractive != 0 {
		s += ", interactive"
	}
	return s
}

// startType returns a start type in words.
func startType(t uint32) string {
	switch t {
	case startAutomatic:
		return "automatic"
	case startDemand:
		return "manual"
	case startDisabled:
		return "disabled"
	}
	return fmt.Sprintf("%d", t)
}

// errorControl returns an error control in words.
func errorControl(e uint32) string {
	if e == errorControlNormal {
		return "normal"
	}
	return fmt.Sprintf("%d", e)
}

// sidType returns the type of a service SID in words.
func sidType(t uint32) string {
	switch t {
	case sidNone:
		return "none"
	case sidUnrestricted:
		return "unrestricted"
	case sidRestricted:
		return "restricted"
	}
	return fmt.Sprintf("%d", t)
}

// late returns a warning if some changes from have take effect only when the machine is restarted
// (SERVICE_SID_INFO, SERVICE_FAILURE_ACTIONS_FLAG), else "". All others take effect when the
// service starts.
func (w settings) late(have settings) string {
	var names []string
	if w.SID != have.SID && !have.lacks[levelSID] {
		names = append(names, "ServiceSidType")
	}
	if w.NonCrash != have.NonCrash && !have.lacks[levelNonCrash] {
		names = append(names, "FailureActionsOnNonCrashFailures")
	}
	if names == nil {
		return ""
	}
	return "the change of " + strings.Join(names, " and ") + " takes effect only when the machine is restarted: restarting the service is not enough"
}

// lacking returns a warning that this version of Windows does not have a level, or "" if w does
// not use it.
func (w settings) lacking(l level) string {
	const lead = "this version of Windows has no "
	switch {
	case l == levelDescription && w.Description != "":
		return lead + "descriptions of services (Description): it is not shown"
	case l == levelFailureActions && len(w.Failure.Actions) > 0:
		return lead + "recovery actions (Recovery): the service is not restarted when it fails"
	case l == levelDelayed && w.Delayed:
		return lead + "delayed start (Start): the service is started with the others"
	case l == levelNonCrash && w.NonCrash:
		return lead + "recovery from exit codes (Recovery.CrashOnly): the service is restarted only when its process crashes"
	case l == levelSID:
		return lead + "SIDs for services (ServiceSidType): the service can use its folders only if its account is an administrator, or its own virtual account"
	case l == levelPrivileges && w.Privileges != nil:
		return lead + "required privileges (Hardening): the service keeps all privileges of its account"
	case l == levelPreshutdown && w.Preshutdown != 0:
		return lead + "setting for the time before a shutdown (Windows.PreshutdownTimeout): its default applies"
	}
	return ""
}
