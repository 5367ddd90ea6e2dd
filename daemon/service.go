package daemon

import (
	"cmp"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/internal/service/detect"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// Service says how the program is installed as a service. The zero value is what a
// careful operator would choose: it starts with the machine, has an account of its own
// without rights, directories of its own, a sandbox where the manager has one, and is
// restarted when it fails, ever more slowly.
//
// What a manager lacks, install says in a warning, and of defaults in a note; nothing is
// left out in silence. A
// field that cannot be carried over without changing its meaning, a control character
// in an argument for one, is an error before anything has happened.
type Service struct {
	// Executable is what the service runs; if empty, the program that installs it.
	// Executables that others than the administrator can replace are refused, unless
	// the operator insists (install --force).
	Executable string

	// Arguments stand before those that stood on the command line before the command
	// install. A program with commands of its own has the one that runs it here.
	Arguments []string

	// Environment is added to what the manager gives the service. It is not for
	// secrets: everybody can read it. The variables that managers set themselves
	// (NOTIFY_SOCKET, STATE_DIRECTORY, …) are refused.
	Environment map[string]string

	// EnvironmentFile is the absolute path of a file with more variables, which an operator
	// writes: NAME=value, a line each, as in EnvironmentFile= of systemd.exec(5). They are
	// read at each start, and override those of Environment. With a dash before the path,
	// "-/etc/default/web", the file may be missing. Nothing in it is run or expanded; lines
	// that are not understood are ignored, with a warning in the log. install refuses a
	// file that others than the administrator can write.
	//
	// systemd reads the file itself, as root. Elsewhere [Run] does, before all else that the
	// program could log or start: the account of the service needs the right to read it,
	// and what func main does before Run, and Go's own runtime (GOMAXPROCS, GODEBUG), do not
	// see its variables.
	//
	// Where a service of kardianos/service is replaced that has such a file, and this is
	// empty, the service keeps the file.
	EnvironmentFile string

	// WorkingDirectory is absolute. If empty, it is the manager's choice, "/" as a
	// rule; on Windows, where the program itself goes there before Start, see
	// [Windows].KeepDirectory.
	WorkingDirectory string

	// Account is who the service runs as. If empty, it has an account of its own: a
	// dynamic user of systemd, the virtual account NT SERVICE\NAME of Windows, a system
	// user that install makes elsewhere; where it cannot, nobody (macOS, some OpenWrt) or
	// noaccess (Solaris), which is a warning. AIX has to be told [AccountSystem], which has
	// all rights.
	// On Windows it is LocalService, NetworkService, a user (user, DOMAIN\user or
	// user@domain), or a managed service account, which has its domain and a $ at the end:
	// DOMAIN\name$. An administrator has to give all but the first two the right to log on
	// as a service.
	Account string

	// Password is called during install where Account needs one to log on: on Windows, for
	// a user.
	Password func() (string, error)

	// User makes it a service of the user who installs it, without the rights of an
	// administrator; install --user does so too. Windows has none.
	User bool

	// Template makes it a template, of which instances are installed: NAME@INSTANCE.
	// Instance is which one this is; --instance sets it. The program finds it in the
	// environment, as SERVICE_INSTANCE. Under systemd all instances share one unit, and
	// so the arguments.
	Template bool
	Instance string

	// StartType is when it starts, [StartAutomatic] if empty.
	StartType StartType

	// Dependencies is what is started before it: "network", that is when the network
	// is configured, or the names of other services. See [Systemd], [OpenRC] and
	// [Windows] for what only these know.
	Dependencies []string

	Recovery  Recovery
	Hardening Hardening
	Limits    Limits

	// Watchdog is how long the manager waits for a sign of life before it restarts the
	// program, 30 s if zero, none if negative. A [Checker] decides itself whether it is
	// alive. Only systemd has one.
	Watchdog time.Duration

	// FileDescriptorStore is how many descriptors the manager keeps for the program
	// over a restart. Only systemd has such a store.
	FileDescriptorStore int

	// Sockets are opened by the manager, which hands them over: see [Socket]. Only
	// systemd does; elsewhere the program opens them itself.
	Sockets []ListenSocket

	Systemd Systemd
	OpenRC  OpenRC

	// Managers are service managers that are not in every program: package
	// daemon/upstart has one.
	Managers []ServiceManager
}

// ServiceManager is a service manager that is only in the programs that ask for it. The
// packages that have one return it.
type ServiceManager = detect.Extra

// AccountSystem is the account with all rights: root on Unix, LocalSystem on Windows.
const AccountSystem = "LocalSystem"

// StartType is when a service is started.
type StartType string

// The start types.
const (
	StartAutomatic StartType = "automatic" // with the machine; a service of a user, with the user's first session
	StartDelayed   StartType = "delayed"   // so too, but after what is not delayed
	StartManual    StartType = "manual"    // when somebody asks for it
	StartDisabled  StartType = "disabled"  // never: where the manager can refuse a start, as Windows and systemd do, it does
	StartOnSocket  StartType = "socket"    // when somebody connects to one of Sockets
)

// Recovery is what the manager does when the service has failed: when it has crashed,
// or has ended with another exit code than 0. With 78, [ErrConfig], it is left alone
// where the manager can tell (systemd). Windows cannot be told to forget a restart that
// it has planned already: a service that is stopped in between comes back.
type Recovery struct {
	// Never leaves a failed service alone.
	Never bool

	// Delays are how long the manager waits before the first restart, the second and so
	// on; the last one repeats. If none, 1 s, 2 s, 5 s, 10 s, 30 s, 1 min. systemd takes
	// the first, the last and their number; others have one delay, the first.
	Delays []time.Duration

	// ResetPeriod is after how long without a failure the first delay counts again,
	// 10 minutes if zero. Windows knows it; to systemd the first counts again after a
	// start by hand.
	ResetPeriod time.Duration

	// CrashOnly leaves a service alone that has ended by itself with an exit code, and
	// restarts one that was killed, or has crashed.
	CrashOnly bool
}

// Hardening is how much of the machine the service can reach, and what is excepted.
type Hardening struct {
	Profile HardeningProfile // HardenStrict if empty

	// WritablePaths are absolute paths that the service may change, beside its own
	// directories.
	WritablePaths []string

	// Capabilities that the service has without being root: CAP_NET_ADMIN for one, see
	// capabilities(7); on Windows the privileges that it keeps, SeBackupPrivilege for one.
	// Names meant for other systems are ignored. A privilege that Windows does not know is
	// an error.
	Capabilities []string

	// AddressFamilies beside AF_INET, AF_INET6, AF_UNIX and AF_NETLINK: AF_PACKET for one.
	AddressFamilies []string
}

// HardeningProfile is a sandbox. systemd has all of it, Windows trims privileges, and
// the others have an account without rights and what else they know.
type HardeningProfile string

// The profiles.
const (
	// HardenStrict is HardenNetwork; with StartOnSocket the service has no network but
	// the sockets that it is handed.
	HardenStrict HardeningProfile = "strict"
	// HardenNetwork leaves the network and the service's own directories. It sees the
	// file system read-only, without /home.
	HardenNetwork HardeningProfile = "network"
	// HardenLocalhost is HardenNetwork with only 127.0.0.0/8 and ::1 of the network.
	HardenLocalhost HardeningProfile = "localhost"
	// HardenLowPorts is HardenNetwork with ports below 1024.
	HardenLowPorts HardeningProfile = "low ports"
	// HardenLenient is for programs with cgo, plugins or a JIT compiler.
	HardenLenient HardeningProfile = "lenient"
	// HardenNone is no sandbox.
	HardenNone HardeningProfile = "no sandbox"
)

// Limits are what the service may use at the most; 0 is what the manager gives by
// itself.
type Limits struct {
	OpenFiles uint64
	Tasks     uint64  // processes and threads
	Memory    uint64  // bytes
	CPU       float64 // processors: 0.5 is half of one

	// LogRecords is how many records of each level journald takes in a second, a few times
	// as many where its disk has much room. Unless journald.conf says otherwise it takes
	// 10,000 in 30 seconds if this is zero. It drops what is beyond that, also the run's own
	// records, which have level info; only journald can count these. 100,000,000, the
	// highest value, is as good as no limit. It holds for services of the machine under
	// systemd, from version 240 on.
	LogRecords uint64
}

// ListenSocket is a socket that the manager opens in the program's place.
//
// Where the path of a socket is in the runtime folder of the service, /run/NAME, systemd
// gives the service another one, /run/NAME/service (RUNTIME_DIRECTORY): it removes that
// folder each time the service stops, and the socket stays.
type ListenSocket struct {
	Name    string // by which the program asks for it
	Network string // "tcp", "udp" or "unix"
	Address string // "127.0.0.1:80", ":80"; an absolute path for unix
}

// Systemd is what only systemd understands. The lines of Unit and Service stand at the
// end of that section as they are: "RequiresMountsFor=/srv".
type Systemd struct {
	Unit, Service []string

	// Credentials are files that the service can read though its account cannot, by the
	// name under which it finds them in $CREDENTIALS_DIRECTORY.
	Credentials map[string]string
}

// OpenRC is what only OpenRC understands: lines of the function depend, "use dns".
type OpenRC struct{ Depend []string }

const (
	defaultResetPeriod = 10 * time.Minute
	preshutdownMargin  = 2 * time.Second // one is for the run itself, see the budgets in the package comment
)

// spec is the service as its manager is told of it.
func (c Config) spec(p Program, executable string, args []string) (manage.Spec, error) {
	c, err := c.complete(p, place{})
	if err != nil {
		return manage.Spec{}, err
	}
	v := c.Service
	s := manage.Spec{
		Name: c.Name, Template: v.Template, Instance: v.Instance,
		DisplayName: c.DisplayName, Description: c.Description, Version: c.Version,
		Executable:  v.Executable,
		Arguments:   append(append([]string(nil), v.Arguments...), args...),
		Environment: v.Environment, EnvironmentFile: v.EnvironmentFile, WorkingDirectory: v.WorkingDirectory,
		Account: v.Account, Password: v.Password, User: v.User,
		StartType: manage.Start(v.StartType), Dependencies: v.Dependencies,
		Recovery: manage.Recovery{
			Never: v.Recovery.Never, Delays: v.Recovery.Delays, ResetPeriod: v.Recovery.ResetPeriod, CrashOnly: v.Recovery.CrashOnly,
		},
		StartTimeout: c.StartTimeout, StopTimeout: c.StopTimeout, Preshutdown: c.Windows.Preshutdown,
		Hardening: manage.Hardening{
			Profile:       manage.Profile(v.Hardening.Profile),
			WritablePaths: v.Hardening.WritablePaths, Capabilities: v.Hardening.Capabilities, AddressFamilies: v.Hardening.AddressFamilies,
		},
		Limits:   manage.Limits(v.Limits),
		Watchdog: v.Watchdog, FileDescriptorStore: v.FileDescriptorStore,
		Systemd: manage.Systemd(v.Systemd), OpenRC: manage.OpenRC(v.OpenRC),
		Windows: manage.Windows{
			Dependencies: c.Windows.Dependencies, PreshutdownTimeout: c.Windows.PreshutdownTimeout, SecurityDescriptor: c.Windows.SecurityDescriptor,
		},
	}
	for _, k := range v.Sockets {
		s.Sockets = append(s.Sockets, manage.Socket(k))
	}
	_, s.CanPause = p.(Pauser)
	fill(&s, executable)
	if err := s.Check(); err != nil {
		return s, specError{err}
	}
	return s, nil
}

// specError is a service.ErrSpec in the words of this package.
type specError struct{ err error }

func (e specError) Error() string {
	return strings.ReplaceAll(e.err.Error(), manage.ErrSpec.Error(), ErrConfig.Error())
}

func (e specError) Unwrap() []error { return []error{ErrConfig, e.err} }

// fill puts the documented defaults where nothing is said.
func fill(s *manage.Spec, executable string) {
	s.Executable = cmp.Or(s.Executable, executable)
	s.Description = cmp.Or(s.Description, s.DisplayName)
	s.StartType = cmp.Or(s.StartType, manage.Automatic)
	s.Hardening.Profile = cmp.Or(s.Hardening.Profile, manage.Strict)
	s.Recovery.ResetPeriod = cmp.Or(s.Recovery.ResetPeriod, defaultResetPeriod)
	if len(s.Recovery.Delays) == 0 {
		s.Recovery.Delays = []time.Duration{
			time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute,
		}
	}
	if s.Preshutdown {
		s.Windows.PreshutdownTimeout = cmp.Or(s.Windows.PreshutdownTimeout, s.StopTimeout+preshutdownMargin)
	}
}
