package systemd

import (
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/daemon/service"
)

// relief says what a capability needs in addition to itself to be of use.
type relief struct {
	calls string   // system calls that the filter would refuse
	off   []string // directives that would remove the capability, or what it is for
}

// reliefs returns the reliefs by name of the capability.
func reliefs() map[string]relief {
	return map[string]relief{
		"CAP_BPF":            {calls: "bpf"},
		"CAP_CHOWN":          {calls: "@chown"},
		"CAP_MKNOD":          {off: []string{"PrivateDevices", "DevicePolicy"}},
		"CAP_PERFMON":        {calls: "perf_event_open"},
		"CAP_SETGID":         {calls: "@setuid"},
		"CAP_SETPCAP":        {calls: "capset"},
		"CAP_SETUID":         {calls: "@setuid"},
		"CAP_SYSLOG":         {calls: "syslog", off: []string{"ProtectKernelLogs"}},
		"CAP_SYS_ADMIN":      {calls: "@privileged @mount", off: []string{"RestrictNamespaces", "ProtectHostname"}},
		"CAP_SYS_BOOT":       {calls: "@reboot"},
		"CAP_SYS_CHROOT":     {calls: "chroot"},
		"CAP_SYS_MODULE":     {calls: "@module", off: []string{"ProtectKernelModules"}},
		"CAP_SYS_NICE":       {calls: "@resources", off: []string{"RestrictRealtime"}},
		"CAP_SYS_PACCT":      {calls: "acct"},
		"CAP_SYS_PTRACE":     {calls: "@debug", off: []string{"ProtectProc"}},
		"CAP_SYS_RAWIO":      {calls: "@raw-io", off: []string{"PrivateDevices", "DevicePolicy"}},
		"CAP_SYS_RESOURCE":   {calls: "@resources"},
		"CAP_SYS_TIME":       {calls: "@clock", off: []string{"ProtectClock"}},
		"CAP_SYS_TTY_CONFIG": {calls: "vhangup"},
		"CAP_WAKE_ALARM":     {off: []string{"ProtectClock"}},
	}
}

// capabilities returns the capabilities of Linux. Others in the list are for Windows.
func (r *renderer) capabilities() []string {
	var caps []string
	for _, c := range r.Hardening.Capabilities {
		if c = strings.ToUpper(c); strings.HasPrefix(c, "CAP_") {
			caps = append(caps, c)
		}
	}
	if r.Hardening.Profile == service.LowPorts {
		caps = append(caps, "CAP_NET_BIND_SERVICE")
	}
	slices.Sort(caps)
	return slices.Compact(caps)
}

// isolated reports whether the service has no network except its inherited sockets.
func (r *renderer) isolated() bool {
	return r.Hardening.Profile == service.Strict && r.StartType == service.OnSocket
}

func (r *renderer) addressFamilies() string {
	families := []string{"AF_UNIX"}
	if !r.isolated() {
		families = append(families, "AF_INET", "AF_INET6", "AF_NETLINK")
	}
	for _, f := range r.Hardening.AddressFamilies {
		if !slices.Contains(families, f) {
			families = append(families, f)
		}
	}
	return strings.Join(families, " ")
}

func (r *renderer) writeSandbox(w *writer) {
	if r.User {
		r.writeUserSandbox(w)
		return
	}
	caps := r.capabilities()
	if r.Hardening.Profile == service.Unconfined {
		if len(caps) > 0 && !r.Root() {
			w.set("AmbientCapabilities", "%s", strings.Join(caps, " "))
		}
		if r.dynamic() {
			r.warn("Hardening.Profile: a dynamic user sees the file system read-only and has a /tmp of its own; set Account to have no sandbox at all")
		}
	} else {
		r.writeConfinement(w, caps)
	}
	if r.Hardening.Profile != service.Unconfined || r.dynamic() {
		r.writeExceptions(w)
	}
}

// writeConfinement writes the directives that restrict the service.
func (r *renderer) writeConfinement(w *writer, caps []string) {
	omitted, calls := r.exempt(caps)
	for _, d := range r.confinement(caps) {
		if !omitted[d.name] {
			name, _, _ := strings.Cut(d.name, "=")
			w.set(name, "%s", d.value)
		}
	}
	if len(calls) > 0 {
		w.set("SystemCallFilter", "%s", strings.Join(calls, " "))
	}
	w.set("SystemCallErrorNumber", "EPERM")
}

// exempt returns the names of the directives to omit, and the system calls to allow, so that
// caps are of use.
func (r *renderer) exempt(caps []string) (omitted map[string]bool, calls []string) {
	lenient := r.Hardening.Profile == service.Lenient
	omitted = map[string]bool{
		"PrivateUsers":            lenient || len(caps) > 0, // capabilities have no effect in its own user namespace
		"MemoryDenyWriteExecute":  lenient,
		"PrivateNetwork":          !r.isolated(),
		"IPAddressDeny":           !r.isolated() && r.Hardening.Profile != service.Localhost,
		"IPAddressAllow":          r.Hardening.Profile != service.Localhost,
		"SystemCallFilter=denied": lenient,
	}
	for _, c := range caps {
		relief := reliefs()[c]
		calls = append(calls, strings.Fields(relief.calls)...)
		for _, directive := range relief.off {
			omitted[directive] = true
		}
	}
	slices.Sort(calls)
	return omitted, slices.Compact(calls)
}

// setting is a directive of the sandbox. If a directive occurs twice, the second name has a
// suffix that begins with =.
type setting struct{ name, value string }

// confinement returns all directives of the sandbox, in the order of the unit.
func (r *renderer) confinement(caps []string) []setting {
	// Without /proc/sys the listen backlog of Go falls to 128. A service that inherits its
	// listeners does not need it.
	procs := "all"
	if r.isolated() {
		procs = "pid"
	}
	return []setting{
		{"UMask", "0077"},
		{"NoNewPrivileges", "yes"},
		{"CapabilityBoundingSet", strings.Join(caps, " ")},
		{"AmbientCapabilities", strings.Join(caps, " ")},
		{"SecureBits", "noroot-locked"},
		{"ProtectSystem", "strict"},
		{"ProtectHome", r.protectHome()},
		{"PrivateTmp", "yes"},
		{"PrivateDevices", "yes"},
		{"DevicePolicy", "closed"},
		{"PrivateNetwork", "yes"},
		{"PrivateUsers", "yes"},
		{"PrivateIPC", "yes"},
		{"PrivateMounts", "yes"},
		{"ProtectProc", "invisible"},
		{"ProcSubset", procs},
		{"ProtectClock", "yes"},
		{"ProtectControlGroups", "yes"},
		{"ProtectHostname", "yes"},
		{"ProtectKernelLogs", "yes"},
		{"ProtectKernelModules", "yes"},
		{"ProtectKernelTunables", "yes"},
		{"RemoveIPC", "yes"},
		{"KeyringMode", "private"},
		{"LockPersonality", "yes"},
		{"MemoryDenyWriteExecute", "yes"},
		{"RestrictNamespaces", "yes"},
		{"RestrictRealtime", "yes"},
		{"RestrictSUIDSGID", "yes"},
		{"RestrictAddressFamilies", r.addressFamilies()},
		{"IPAddressDeny", "any"},
		{"IPAddressAllow", "localhost"},
		{"SystemCallArchitectures", "native"},
		{"SystemCallFilter", "@system-service"},
		{"SystemCallFilter=denied", "~@privileged @resources"},
	}
}

// writeUserSandbox writes what a user's systemd can do without namespaces, which not every
// system allows it to create.
func (r *renderer) writeUserSandbox(w *writer) {
	h := r.Hardening
	if h.Profile == service.Unconfined {
		return
	}
	r.warn("Hardening.Profile: a user's systemd filters system calls, but the service can read and change everything that the user can")
	switch {
	case h.Profile == service.Localhost:
		r.warn("Hardening.Profile: a user's systemd cannot restrict it to localhost")
	case h.Profile == service.LowPorts:
		r.warn("Hardening.Profile: a user's systemd cannot give it ports below 1024")
	}
	if caps := r.capabilities(); len(caps) > 0 && h.Profile != service.LowPorts {
		r.warn("Hardening.Capabilities: a user's systemd cannot give %s", strings.Join(caps, " "))
	}
	w.set("UMask", "0077")
	w.set("NoNewPrivileges", "yes")
	w.set("KeyringMode", "private")
	w.set("LockPersonality", "yes")
	if h.Profile != service.Lenient {
		w.set("MemoryDenyWriteExecute", "yes")
	}
	w.set("RestrictNamespaces", "yes")
	w.set("RestrictRealtime", "yes")
	w.set("RestrictSUIDSGID", "yes")
	w.set("RestrictAddressFamilies", "%s", r.addressFamilies())
	w.set("SystemCallArchitectures", "native")
	w.set("SystemCallFilter", "@system-service")
	if h.Profile != service.Lenient {
		w.set("SystemCallFilter", "~@privileged @resources")
	}
	w.set("SystemCallErrorNumber", "EPERM")
}

// The sandbox hides these folders with everything below them.
var (
	homes       = []string{"/home", "/root", "/run/user"}
	temporaries = []string{"/tmp", "/var/tmp"}
)

func below(p string, dirs []string) bool {
	return slices.ContainsFunc(dirs, func(dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") })
}

func hidden(p string) bool { return below(p, homes) || below(p, temporaries) }

// neededPaths returns the paths without which the service cannot start.
func (r *renderer) neededPaths() []string {
	needed := []string{r.Executable}
	if r.resolved != r.Executable {
		needed = append(needed, r.resolved)
	}
	if r.WorkingDirectory != "" {
		needed = append(needed, r.WorkingDirectory)
	}
	return needed
}

// protectHome returns the value of ProtectHome. If the service needs something below a home,
// that is mounted into an empty file system.
func (r *renderer) protectHome() string {
	for _, p := range append(r.neededPaths(), r.Hardening.WritablePaths...) {
		if below(p, homes) {
			return "tmpfs"
		}
	}
	return "yes"
}

// writeExceptions gives the service the paths that it needs and the sandbox hides.
func (r *renderer) writeExceptions(w *writer) {
	var readable, writable, bound []string
	for _, p := range r.Hardening.WritablePaths {
		if hidden(p) {
			bound = append(bound, p)
		} else {
			writable = append(writable, p)
		}
	}
	for _, p := range r.neededPaths() {
		if hidden(p) && !below(p, bound) {
			readable = append(readable, p)
		}
	}
	if r.Hardening.Profile == service.Unconfined && r.protectHome() == "tmpfs" {
		w.set("ProtectHome", "tmpfs")
	}
	if slices.ContainsFunc(slices.Concat(readable, bound), func(p string) bool { return below(p, []string{"/root"}) }) {
		w.set("TemporaryFileSystem", "/root:ro,mode=0755") // the one of ProtectHome is accessible only to root
	}
	for _, list := range []struct {
		directive, field string
		paths            []string
		without          string
	}{
		{"ReadWritePaths", "Hardening.WritablePaths", writable, notInLists},
		{"BindPaths", "Hardening.WritablePaths", bound, notInBinds},
		{"BindReadOnlyPaths", "Executable or WorkingDirectory, in a folder that the sandbox hides,", readable, notInBinds},
	} {
		if len(list.paths) > 0 {
			value, err := pathList(list.field, list.paths, list.without)
			w.setOrFail(list.directive, value, err)
		}
	}
}
