package systemd

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/internal/service"
)

const (
	// stopMargin is what the manager waits beyond the program's own budgets: one second is
	// that in which the program gives up by itself, the rest is for its log and its end.
	stopMargin = 5 * time.Second

	// defaultWatchdog is for who has not asked for another one, or none.
	defaultWatchdog = 30 * time.Second

	// assumedVersion is the version that is rendered for where nobody knows it.
	assumedVersion = 252

	// From these versions on systemd has what they are named for.
	hasLogRateLimit = 240
	hasNotifyReload = 253
	hasRestartSteps = 254

	// minRestartDelay is the shortest delay before a restart. No limit bounds how often systemd
	// restarts a service: the delays do.
	minRestartDelay = 100 * time.Millisecond
)

// Render is the units of a service: the service itself, and a socket for each of its
// Sockets. version is that of systemd, 0 if it is not known. real is where links lead
// at which the executable may stand; Executable itself if there are none.
//
// What the units cannot do and s asks for is in warnings. What cannot be written into
// a unit fails with service.ErrSpec.
func Render(s service.Spec, version int, real string) (units []Unit, warnings []string, err error) {
	if version == 0 {
		version = assumedVersion
	}
	r := renderer{Spec: s, version: version, resolved: real}
	r.fail(r.checkPairs())
	units = append(units, Unit{serviceUnit(s), r.serviceText()})
	for _, k := range s.Sockets {
		units = append(units, Unit{socketUnit(s, k), r.socketText(k)})
	}
	return units, r.warnings, r.err
}

// serviceUnit is the name of the file, which the instances of a template share.
func serviceUnit(s service.Spec) string {
	if s.Template {
		return s.Name + "@.service"
	}
	return s.Name + ".service"
}

func socketUnit(s service.Spec, k service.Socket) string {
	if s.Template {
		return s.Name + "-" + k.Name + "@.socket"
	}
	return s.Name + "-" + k.Name + ".socket"
}

type renderer struct {
	service.Spec
	version  int
	resolved string
	warnings []string
	err      error
}

func (r *renderer) warn(format string, args ...any) {
	r.warnings = append(r.warnings, fmt.Sprintf(format, args...))
}

func (r *renderer) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// dynamic reports whether the service has an account that exists while it runs.
func (r *renderer) dynamic() bool { return !r.User && r.Account == "" }

// bootTarget is the target that the service is part of.
func (r *renderer) bootTarget() string {
	if r.User {
		return "default.target"
	}
	return "multi-user.target"
}

// instanceSpecifier is what stands for the instance in a unit.
func (r *renderer) instanceSpecifier() string {
	if r.Template {
		return "%i"
	}
	return ""
}

func (r *renderer) serviceText() string {
	w := newWriter(serviceUnit(r.Spec))
	r.writeUnitSection(w)
	w.section("Service")
	r.writeProcess(w)
	r.writeRestarts(w)
	r.writeDirectories(w)
	r.writeLimits(w)
	r.writeSandbox(w)
	for _, l := range r.Systemd.Service {
		w.line(l)
	}
	r.writeInstallSection(w)
	r.fail(w.err)
	return w.text.String()
}

func (r *renderer) writeUnitSection(w *writer) {
	w.section("Unit")
	description := r.Description
	if description == "" {
		description = r.Name
	}
	if r.Template {
		w.set("Description", "%s (%%i)", escapeText(description))
	} else {
		w.set("Description", "%s", escapeText(description))
	}
	for _, n := range r.Needs {
		r.writeDependency(w, n)
	}
	if r.Start == service.Delayed {
		w.set("After", "%s", r.bootTarget())
	}
	if r.Start == service.Disabled {
		w.set("RefuseManualStart", "yes")
	}
	for _, u := range r.socketUnits() {
		w.set("Requires", "%s", u)
	}
	w.set("StartLimitIntervalSec", "0")
	for _, l := range r.Systemd.Unit {
		w.line(l)
	}
}

func (r *renderer) writeDependency(w *writer, name string) {
	switch {
	case name == "network" && r.User:
		r.warn("Dependencies: the systemd of a user does not know when the network is up; the service starts without waiting for it")
	case name == "network":
		w.set("Wants", "network-online.target")
		w.set("After", "network-online.target")
	default:
		if !strings.HasSuffix(name, ".service") {
			name += ".service"
		}
		w.set("Requires", "%s", name)
		w.set("After", "%s", name)
	}
}

// socketUnits are the units of the service's sockets, as units name them.
func (r *renderer) socketUnits() []string {
	units := make([]string, len(r.Sockets))
	for i, k := range r.Sockets {
		units[i] = strings.Replace(socketUnit(r.Spec, k), "@.", "@"+r.instanceSpecifier()+".", 1)
	}
	return units
}

func (r *renderer) writeProcess(w *writer) {
	if r.version >= hasNotifyReload {
		w.set("Type", "notify-reload")
	} else {
		w.set("Type", "notify")
		w.set("ExecReload", `/bin/sh -c "kill -s HUP ${MAINPID}"`) // kill is the shell's own
	}
	w.set("NotifyAccess", "main")
	w.set("ExecStart", "%s", execLine(r.Executable, r.Args))
	if r.Directory != "" {
		if r.Directory != strings.Trim(r.Directory, blanks) {
			r.fail(fmt.Errorf("%w: WorkingDirectory is %q: systemd takes no path there with a blank at its end", service.ErrSpec, r.Directory))
		}
		w.set("WorkingDirectory", "%s", escapeText(r.Directory))
	}
	for _, v := range service.Vars(r.Environment) {
		w.set("Environment", "%s", assignment(v))
	}
	if _, ok := r.Environment["HOME"]; r.dynamic() && !ok {
		w.set("Environment", "HOME=/var/lib/%s", r.folderName()) // systemd gives a dynamic user none
	}
	r.writeEnvironmentFile(w)
	if r.Template {
		w.set("Environment", "SERVICE_INSTANCE=%%i")
		w.set("SyslogIdentifier", "%s@%%i", r.Name)
	} else {
		w.set("SyslogIdentifier", "%s", r.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Systemd.Credentials)) {
		value, err := credentialValue(name, r.Systemd.Credentials[name])
		w.setOrFail("LoadCredential", value, err)
	}
	if units := r.socketUnits(); len(units) > 0 {
		w.set("Sockets", "%s", strings.Join(units, " "))
	}
	switch {
	case r.User:
	case r.dynamic():
		w.set("DynamicUser", "yes")
	case r.Root():
		w.set("User", "root")
	default:
		w.set("User", "%s", escapeText(r.Account))
	}
	// A daemon-reload takes back what EXTEND_TIMEOUT_USEC has given: these are what
	// the program may really need.
	w.set("TimeoutStartSec", "%s", formatDuration(r.StartTimeout+r.StopTimeout+stopMargin))
	w.set("TimeoutStopSec", "%s", formatDuration(r.StopTimeout+stopMargin))
	if watchdog := cmp.Or(r.Watchdog, defaultWatchdog); watchdog > 0 {
		w.set("WatchdogSec", "%s", formatDuration(watchdog))
	}
	if r.FDStore > 0 {
		w.set("FileDescriptorStoreMax", "%d", r.FDStore)
	}
	w.set("KillMode", "mixed")
	w.set("OOMPolicy", "stop")
}

func (r *renderer) writeRestarts(w *writer) {
	v := r.Recovery
	switch {
	case v.Never:
		w.set("Restart", "no")
		return
	case v.CrashOnly:
		w.set("Restart", "on-abnormal")
		w.set("RestartForceExitStatus", "2") // a panic ends a program of Go by itself, with that
	default:
		w.set("Restart", "on-failure")
	}
	w.set("RestartPreventExitStatus", "78")
	if len(v.Delays) == 0 {
		return
	}
	first, last := v.Delays[0], v.Delays[len(v.Delays)-1]
	if first < minRestartDelay {
		r.warn("Recovery.Delays: systemd would restart without end; the first delay is %s, not %s", minRestartDelay, first)
		first = minRestartDelay
	}
	w.set("RestartSec", "%s", formatDuration(first))
	switch {
	case len(v.Delays) == 1 || last == first:
	case r.version < hasRestartSteps:
		r.warn("Recovery.Delays: systemd %d has one delay, there are several since %d; it is always %s", r.version, hasRestartSteps, first)
	case last < first:
		r.warn("Recovery.Delays: systemd has no delays that become shorter; it is always %s", first)
	default:
		w.set("RestartSteps", "%d", len(v.Delays)-1)
		w.set("RestartMaxDelaySec", "%s", formatDuration(last))
	}
}

// folderName is the name of each of the service's folders.
func (r *renderer) folderName() string {
	if r.Template {
		return r.Name + "/%i"
	}
	return r.Name
}

func (r *renderer) writeDirectories(w *writer) {
	dir := r.folderName()
	for _, kind := range []string{"State", "Cache", "Logs", "Runtime"} {
		name := dir
		if kind == "Runtime" {
			name = runtimeFolder(r.Spec, dir)
		}
		w.set(kind+"Directory", "%s", name)
		w.set(kind+"DirectoryMode", "0700")
	}
	w.set("ConfigurationDirectory", "%s", dir) // Apply has made it: see there
}

func (r *renderer) writeLimits(w *writer) {
	l := r.Limits
	if l.OpenFiles > 0 {
		w.set("LimitNOFILE", "%d", l.OpenFiles)
	}
	if l.Tasks > 0 {
		w.set("TasksMax", "%d", l.Tasks)
	}
	if l.Memory > 0 {
		w.set("MemoryMax", "%d", l.Memory)
	}
	if l.CPU > 0 {
		w.set("CPUQuota", "%.0f%%", max(1, math.Round(l.CPU*100)))
	}
	switch {
	case l.LogRecords == 0:
	case r.User: // systemd tells journald only of the machine's (unit_export_state_files)
		r.warn("Limits.LogRecords: journald has a limit of their own only for services of the machine")
	case r.version < hasLogRateLimit:
		r.warn("Limits.LogRecords: systemd %d has no limit for one service, there is one since %d", r.version, hasLogRateLimit)
	default:
		// Not 0, which does not switch the limit of journald itself off.
		w.set("LogRateLimitIntervalSec", "1s")
		w.set("LogRateLimitBurst", "%d", l.LogRecords)
	}
}

func (r *renderer) writeInstallSection(w *writer) {
	switch r.Start {
	case service.Disabled:
	case service.OnSocket:
		w.section("Install")
		w.set("Also", "%s", strings.Join(r.socketUnits(), " "))
	default:
		w.section("Install")
		w.set("WantedBy", "%s", r.bootTarget())
	}
}

func (r *renderer) socketText(k service.Socket) string {
	unit := socketUnit(r.Spec, k)
	w := newWriter(unit)
	w.section("Unit")
	w.set("Description", "%s, the socket %s", escapeText(r.Name), k.Name)
	if r.Start == service.Disabled {
		w.set("RefuseManualStart", "yes")
	}
	w.section("Socket")
	address, listen := k.Address, "ListenStream"
	if k.Network == "udp" {
		listen = "ListenDatagram"
	}
	if host, port, err := net.SplitHostPort(address); err == nil && k.Network != "unix" && host == "" {
		address = port
		w.set("BindIPv6Only", "both")
	}
	if address != strings.Trim(address, blanks) {
		r.fail(fmt.Errorf("%w: Sockets.%s is %q: systemd takes no path there with a blank at its end", service.ErrSpec, k.Name, address))
	}
	w.set(listen, "%s", escapeText(address))
	if k.Network == "unix" {
		// As what listens there itself makes it, with the umask that it has here; the
		// group is for an operator to widen.
		w.set("SocketMode", "0660")
		if !r.User && !r.dynamic() && !r.Root() {
			w.set("SocketUser", "%s", escapeText(r.Account))
		}
		w.set("RemoveOnStop", "yes")
	}
	if r.Hardening.Profile == service.Localhost && !r.User {
		w.set("IPAddressDeny", "any") // that of the service is for what it opens itself
		w.set("IPAddressAllow", "localhost")
	}
	w.set("FileDescriptorName", "%s", k.Name)
	w.set("Service", "%s", strings.Replace(serviceUnit(r.Spec), "@.", "@"+r.instanceSpecifier()+".", 1))
	if r.Start != service.Disabled {
		w.section("Install")
		w.set("WantedBy", "sockets.target")
	}
	r.fail(w.err)
	return w.text.String()
}
