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

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

const (
	// stopMargin is added to the program's own time limits. In the first second the program
	// gives up by itself; the rest is for its log and its exit.
	stopMargin = 5 * time.Second

	// defaultWatchdog is used unless the service sets another watchdog or disables it.
	defaultWatchdog = 30 * time.Second

	// assumedVersion is assumed if the version of systemd is not known.
	assumedVersion = 252

	// systemd has these features since these versions.
	hasLogRateLimit = 240
	hasNotifyReload = 253
	hasRestartSteps = 254

	// minRestartDelay is the shortest delay before a restart. Nothing limits how often
	// systemd restarts a service except the delays.
	minRestartDelay = 100 * time.Millisecond
)

// Render returns the units of a service: the service itself and a socket unit for each of its
// Sockets. version is the version of systemd, or 0 if it is not known. resolved is the path
// of Executable with links followed.
//
// warnings name what s asks for and the units cannot do. Render fails with service.ErrConfig if
// something cannot be written into a unit.
func Render(s manage.Spec, version int, resolved string) (units []Unit, warnings []string, err error) {
	if version == 0 {
		version = assumedVersion
	}
	r := renderer{Spec: s, version: version, resolved: resolved}
	r.fail(r.checkPairs())
	units = append(units, Unit{serviceUnit(s), r.serviceText()})
	for _, k := range s.Sockets {
		units = append(units, Unit{socketUnit(s, k), r.socketText(k)})
	}
	return units, r.warnings, r.err
}

// serviceUnit returns the name of the unit file, which the instances of a template share.
func serviceUnit(s manage.Spec) string {
	if s.Template {
		return s.Name + "@.service"
	}
	return s.Name + ".service"
}

func socketUnit(s manage.Spec, k service.Socket) string {
	if s.Template {
		return s.Name + "-" + k.Name + "@.socket"
	}
	return s.Name + "-" + k.Name + ".socket"
}

type renderer struct {
	manage.Spec
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

// dynamic reports whether the service has an account that exists only while it runs.
func (r *renderer) dynamic() bool { return !r.User && r.Account == "" }

// bootTarget returns the target that starts the service.
func (r *renderer) bootTarget() string {
	if r.User {
		return "default.target"
	}
	return "multi-user.target"
}

// instanceSpecifier returns the specifier for the instance in a unit, or "".
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
	for _, n := range r.Dependencies {
		r.writeDependency(w, n)
	}
	if r.StartType == service.Delayed {
		w.set("After", "%s", r.bootTarget())
	}
	if r.StartType == service.Disabled {
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
		r.warn("Dependencies: a user's systemd does not know when the network is up; the service starts without waiting for it")
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

// socketUnits returns the names of the service's sockets, as units refer to them.
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
		w.set("ExecReload", `/bin/sh -c "kill -s HUP ${MAINPID}"`) // the shell's built-in kill
	}
	w.set("NotifyAccess", "main")
	w.set("ExecStart", "%s", execLine(r.Executable, r.Arguments))
	if r.WorkingDirectory != "" {
		if r.WorkingDirectory != strings.Trim(r.WorkingDirectory, blanks) {
			r.fail(fmt.Errorf("%w: WorkingDirectory is %q: systemd accepts no path there that begins or ends with a blank", manage.ErrConfig, r.WorkingDirectory))
		}
		w.set("WorkingDirectory", "%s", escapeText(r.WorkingDirectory))
	}
	for _, v := range manage.Vars(r.Environment) {
		w.set("Environment", "%s", assignment(v))
	}
	if _, ok := r.Environment["HOME"]; r.dynamic() && !ok {
		w.set("Environment", "HOME=/var/lib/%s", r.folderName()) // systemd sets none for a dynamic user
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
	// A daemon-reload resets what EXTEND_TIMEOUT_USEC has granted, so these limits cover
	// what the program may really need.
	w.set("TimeoutStartSec", "%s", formatDuration(r.StartTimeout+r.StopTimeout+stopMargin))
	w.set("TimeoutStopSec", "%s", formatDuration(r.StopTimeout+stopMargin))
	if watchdog := cmp.Or(r.Watchdog, defaultWatchdog); watchdog > 0 {
		w.set("WatchdogSec", "%s", formatDuration(watchdog))
	}
	if r.FileDescriptorStore > 0 {
		w.set("FileDescriptorStoreMax", "%d", r.FileDescriptorStore)
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
		w.set("RestartForceExitStatus", "2") // a panic ends a Go program with this code
	default:
		w.set("Restart", "on-failure")
	}
	w.set("RestartPreventExitStatus", "78")
	if len(v.Delays) == 0 {
		return
	}
	first, last := v.Delays[0], v.Delays[len(v.Delays)-1]
	if first < minRestartDelay {
		r.warn("Recovery.Delays: systemd would restart it endlessly; the first delay is %s, not %s", minRestartDelay, first)
		first = minRestartDelay
	}
	w.set("RestartSec", "%s", formatDuration(first))
	switch {
	case len(v.Delays) == 1 || last == first:
	case r.version < hasRestartSteps:
		r.warn("Recovery.Delays: systemd %d supports only one delay (several since %d); it is always %s", r.version, hasRestartSteps, first)
	case last < first:
		r.warn("Recovery.Delays: systemd supports no delays that get shorter; it is always %s", first)
	default:
		w.set("RestartSteps", "%d", len(v.Delays)-1)
		w.set("RestartMaxDelaySec", "%s", formatDuration(last))
	}
}

// folderName returns the name of each of the service's folders.
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
	w.set("ConfigurationDirectory", "%s", dir) // which Apply creates: see configFolder
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
	case r.User: // systemd passes it to journald only for the machine's (unit_export_state_files)
		r.warn("Limits.LogRecords: journald limits single services of the machine only, not of a user")
	case r.version < hasLogRateLimit:
		r.warn("Limits.LogRecords: systemd %d has no limit for single services (supported since %d)", r.version, hasLogRateLimit)
	default:
		// Not 0, which would not disable journald's own limit.
		w.set("LogRateLimitIntervalSec", "1s")
		w.set("LogRateLimitBurst", "%d", l.LogRecords)
	}
}

func (r *renderer) writeInstallSection(w *writer) {
	switch r.StartType {
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
	if r.StartType == service.Disabled {
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
		r.fail(fmt.Errorf("%w: Sockets.%s is %q: systemd accepts no path there that begins or ends with a blank", manage.ErrConfig, k.Name, address))
	}
	w.set(listen, "%s", escapeText(address))
	if k.Network == "unix" {
		// The mode that the program's own socket gets from the umask that it has here. An
		// operator can give it another group.
		w.set("SocketMode", "0660")
		if !r.User && !r.dynamic() && !r.Root() {
			w.set("SocketUser", "%s", escapeText(r.Account))
		}
		w.set("RemoveOnStop", "yes")
	}
	if r.Hardening.Profile == service.Localhost && !r.User {
		w.set("IPAddressDeny", "any") // the service's covers only the sockets that it opens itself
		w.set("IPAddressAllow", "localhost")
	}
	w.set("FileDescriptorName", "%s", k.Name)
	w.set("Service", "%s", strings.Replace(serviceUnit(r.Spec), "@.", "@"+r.instanceSpecifier()+".", 1))
	if r.StartType != service.Disabled {
		w.section("Install")
		w.set("WantedBy", "sockets.target")
	}
	r.fail(w.err)
	return w.text.String()
}
