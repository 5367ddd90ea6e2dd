package manage

import (
	"maps"
	"slices"
	"time"
)

// Spec is a service as it is to be installed. Nothing in it is left to a default, but
// where the comment says so; [Spec.Check] has passed it.
type Spec struct {
	Name        string // legal for every manager, see Config.Name of package daemon
	Instance    string // of a template; "" if it is none
	Template    bool   // Name is that of a template: NAME@.service of systemd
	DisplayName string
	Description string // one line; DisplayName if the program has none
	Version     string // of the program, "" if unknown

	Executable  string            // absolute
	Arguments   []string          // without the executable
	Environment map[string]string // what the program wants, without what the manager adds
	// EnvironmentFile is the path of a file with more variables, with a dash before it if it
	// may be missing; "" if there is none. KeptFile says that it is that of the service
	// which this one has replaced: it stays until the program names another.
	EnvironmentFile  string
	KeptFile         bool
	WorkingDirectory string // the working directory; "" means what the manager is used to

	// Account is who it runs as. "" is an account of its own with no rights: a dynamic
	// user of systemd, a virtual account of Windows, a system user elsewhere. "root"
	// and "LocalSystem" are the same everywhere. For a user service it is "".
	Account  string
	Password func() (string, error) // asked for where Account needs one; nil if it does not
	User     bool                   // a service of the user that installs it

	StartType    Start
	Enable       bool     // also where somebody has disabled it since it was installed
	Dependencies []string // what starts before it: "network" (it is configured), or names of services
	Recovery     Recovery

	StartTimeout time.Duration
	StopTimeout  time.Duration
	Preshutdown  bool // Windows tells it of a shutdown before others

	Hardening           Hardening
	Limits              Limits
	Watchdog            time.Duration // 0 for the manager's default, where it has a watchdog; negative for none
	FileDescriptorStore int           // how many descriptors the manager keeps over a restart
	Sockets             []Socket

	CanPause bool // … a Pauser

	Systemd Systemd
	Windows Windows
	OpenRC  OpenRC
}

// ServiceName is what the manager calls it: NAME, or NAME@INSTANCE.
func (s Spec) ServiceName() string {
	if s.Template {
		return s.Name + "@" + s.Instance
	}
	return s.Name
}

// Root reports whether the service has all the rights that there are.
func (s Spec) Root() bool {
	return !s.User && (s.Account == "root" || s.Account == "LocalSystem")
}

// Start is when a service is started.
type Start string

// The start types.
const (
	Automatic Start = "automatic" // when the machine starts, or the user logs on
	Delayed   Start = "delayed"   // as automatic, after what matters more
	Manual    Start = "manual"    // when somebody asks
	Disabled  Start = "disabled"  // not even then
	OnSocket  Start = "socket"    // when somebody connects to one of its sockets
)

// Recovery is what the manager does when the service has failed.
type Recovery struct {
	Never       bool
	Delays      []time.Duration // before the first restart, the second, …; the last repeats. Not empty
	ResetPeriod time.Duration   // after this long without a failure, the first delay counts again
	CrashOnly   bool            // not when the process has ended by itself with an exit code
}

// Profile is how much of the machine the service can reach.
type Profile string

// The profiles.
const (
	Strict    Profile = "strict"     // as Network; without any network where Start is OnSocket
	Network   Profile = "network"    // nothing but the network, and its own directories
	Localhost Profile = "localhost"  // as Network, but only 127.0.0.0/8 and ::1
	LowPorts  Profile = "low ports"  // as Network, and ports below 1024
	Lenient   Profile = "lenient"    // what cgo, plugins and JIT compilers need besides
	None      Profile = "no sandbox" // no confinement
)

// Hardening is a profile with its exceptions.
type Hardening struct {
	Profile         Profile
	WritablePaths   []string // absolute
	Capabilities    []string // "CAP_NET_ADMIN": Linux; or "SeTcbPrivilege": Windows
	AddressFamilies []string // "AF_PACKET"
}

// Limits bound what the service may use. 0 is no limit but the manager's own.
type Limits struct {
	OpenFiles uint64
	Tasks     uint64  // processes and threads
	Memory    uint64  // bytes
	CPU       float64 // processors: 0.5 is half of one

	LogRecords uint64 // a second, of each level, in the journal; at most MaxLogRecords
}

// MaxLogRecords is as good as no limit. Where its disk has room, journald multiplies a limit
// by up to ten, and does not check that the product fits 32 bits.
const MaxLogRecords = 100_000_000

// Socket is what the manager listens at in the service's place.
type Socket struct {
	Name    string // by which the program asks for it
	Network string // tcp, udp, unix
	Address string // host:port or :port; an absolute path
}

// Systemd is what only systemd understands. Each line is a directive that stands as it
// is in the section: "RequiresMountsFor=/srv".
type Systemd struct {
	Unit, Service []string
	Credentials   map[string]string // name → absolute path: LoadCredential
}

// Windows is what only Windows understands.
type Windows struct {
	Dependencies       []string // names of services, and of groups with a + before them
	PreshutdownTimeout time.Duration
	// SecurityDescriptor is SDDL: who may query, start and stop it. "" leaves it as Windows makes it.
	SecurityDescriptor string
}

// OpenRC is what only OpenRC understands.
type OpenRC struct {
	Depend []string // lines of depend(): "use dns"
}

// Var is a variable of an environment.
type Var struct{ Name, Value string }

// Vars is an environment in the order of its names.
func Vars(environment map[string]string) []Var {
	vars := make([]Var, 0, len(environment))
	for _, name := range slices.Sorted(maps.Keys(environment)) {
		vars = append(vars, Var{name, environment[name]})
	}
	return vars
}
