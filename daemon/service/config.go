// Package service describes a program as a service of its machine: how it is installed
// ([Config]), what its service manager reports about it ([Status]), and the errors of the
// commands that install and operate it.
//
// Package daemon uses it: the field Service of its Config is a [Config], and its Handle
// installs, starts, stops and examines the service.
package service

import "time"

// AccountSystem is the account with all privileges: root on Unix, LocalSystem on Windows.
const AccountSystem = "LocalSystem"

// Config describes how a program is installed as a service. The zero value is what a
// careful operator would choose: the service starts with the machine, has an account of its
// own without privileges, its own directories and, where the manager offers one, a sandbox,
// and is restarted after a failure, waiting longer each time.
//
// If the manager of a machine does not support a setting, install prints a warning; if it
// lacks a default, a note. Values that cannot be carried over without changing their
// meaning, such as a control character in an argument, are errors before anything changes.
type Config struct {
	// Executable is the file that the service runs, by default the program that installs
	// it. It must be absolute. Executables that other users can replace are refused unless
	// the operator insists (install --force).
	Executable string

	// Arguments are passed to the service, before the arguments that preceded the command
	// install on the command line. A program with commands of its own names here the one
	// that runs the service.
	Arguments []string

	// Environment is added to the environment that the manager provides. Do not put secrets
	// there: every user can read it. Variables that managers set themselves
	// (NOTIFY_SOCKET, STATE_DIRECTORY, …) are refused.
	Environment map[string]string

	// EnvironmentFile is the absolute path of a file with more variables, which an operator
	// writes: one NAME=value per line, as in EnvironmentFile= of systemd.exec(5), for example
	// /etc/web/environment. It is
	// read at each start and overrides Environment. If a dash precedes the path,
	// "-/etc/default/web", the file may be missing. Nothing in it is executed or expanded.
	// Lines that cannot be parsed are ignored with a warning in the log. Install refuses a
	// file that other users can write.
	//
	// systemd reads the file itself, as root. Elsewhere daemon.Run reads it in a service that
	// install made, before it logs or starts anything: the account of the service needs permission to read it, and
	// neither code in func main before Run nor the Go runtime (GOMAXPROCS, GODEBUG) sees its
	// variables.
	//
	// A service that replaces one of kardianos/service keeps that one's file if
	// EnvironmentFile is empty.
	EnvironmentFile string

	// WorkingDirectory is an absolute path. If empty, the manager chooses, usually "/". On
	// Windows the program changes to the folder of its executable before Start; see
	// daemon.Windows.KeepDirectory.
	WorkingDirectory string

	// Account is the account that the service runs as. If empty, the service gets its own: a
	// dynamic user under systemd, the virtual account NT SERVICE\NAME on Windows, elsewhere
	// a system user that install creates. Where install cannot create one, it uses nobody
	// (macOS, some OpenWrt) or noaccess (Solaris), with a warning. AIX requires
	// [AccountSystem].
	//
	// On Windows it is LocalService, NetworkService, a user (user, DOMAIN\user or
	// user@domain), or a managed service account, written with its domain and a $ at the
	// end: DOMAIN\name$. All except the first two need the right to log on as a service,
	// which an administrator grants.
	Account string

	// Password returns the password of Account. Install calls it where the account needs
	// one, which is for users on Windows.
	Password func() (string, error)

	// User installs the service for the current user, without administrator rights, as
	// install --user does. Windows does not support it.
	User bool

	// Template makes the service a template, of which instances are installed:
	// NAME@INSTANCE. Instance names one of them; install --instance sets it. The program
	// finds it in the environment variable SERVICE_INSTANCE. Under systemd all instances
	// share one unit, and therefore the arguments.
	Template bool
	Instance string

	// StartType says when the service starts, by default [Automatic].
	StartType StartType

	// Dependencies start before this service: "network", which waits until the network is
	// configured, or the names of other services. See [Systemd], [OpenRC] and [Windows] for
	// dependencies that only they support.
	Dependencies []string

	Recovery  Recovery
	Hardening Hardening
	Limits    Limits

	// Watchdog is how long the manager waits for a sign of life before it restarts the
	// program, 30 seconds if zero, never if negative. A daemon.Checker decides itself
	// whether it is alive. Only systemd has a watchdog.
	Watchdog time.Duration

	// FileDescriptorStore is how many file descriptors the manager keeps for the program
	// across a restart. Only systemd has such a store.
	FileDescriptorStore int

	// Sockets are opened by the manager and passed to the program; see daemon.Socket. Only
	// systemd does this; elsewhere daemon.Listen opens them in the program.
	Sockets []Socket

	Systemd Systemd
	Windows Windows
	OpenRC  OpenRC

	// Managers adds service managers that are not part of every program, such as the one of
	// package daemon/upstart.
	Managers []Manager
}

// Manager is a service manager that is only part of the programs that ask for it. The
// packages that provide one return it; other implementations are refused.
type Manager interface {
	// ManagerName returns the name of the manager.
	ManagerName() string
}

// StartType says when a service starts.
type StartType string

// The start types.
const (
	Automatic StartType = "automatic" // with the machine; a service of a user with the user's first session
	Delayed   StartType = "delayed"   // as Automatic, but after everything that is not delayed
	Manual    StartType = "manual"    // when somebody starts it
	Disabled  StartType = "disabled"  // never; managers that can refuse a start, as Windows and systemd can, do
	OnSocket  StartType = "socket"    // when a client connects to one of Config.Sockets
)

// Recovery says what the manager does when the service fails: when it crashes, or ends with
// an exit code other than 0. Where the manager can tell, as systemd can, a service that
// ends with exit code 78 (daemon.ErrConfig) is not restarted. Windows does not cancel a restart
// that it has scheduled: it starts a service again that was stopped in the meantime.
type Recovery struct {
	// Never disables restarts.
	Never bool

	// Delays are the times to wait before the first restart, the second, and so on; the last
	// one repeats. The default is 1 s, 2 s, 5 s, 10 s, 30 s, 1 min. systemd uses the first,
	// the last and their number. Other managers have a single delay, the first.
	Delays []time.Duration

	// ResetPeriod is the time without a failure after which the first delay applies again,
	// 10 minutes if zero. Only Windows has one; systemd starts again with the first delay
	// after a manual start.
	ResetPeriod time.Duration

	// CrashOnly restarts the service only if it was killed or crashed, not if it ended by
	// itself with an exit code.
	CrashOnly bool
}

// Hardening limits what the service can reach.
type Hardening struct {
	Profile Profile // Strict if empty

	// WritablePaths are absolute paths that the service may change, in addition to its own
	// directories.
	WritablePaths []string

	// Capabilities are granted although the service is not root, for example CAP_NET_ADMIN
	// (capabilities(7)); on Windows they are the privileges that the service keeps, for
	// example SeBackupPrivilege. Names meant for other systems are ignored. A privilege that
	// Windows does not know is an error.
	Capabilities []string

	// AddressFamilies are allowed in addition to AF_INET, AF_INET6, AF_UNIX and AF_NETLINK,
	// for example AF_PACKET.
	AddressFamilies []string
}

// Profile is a sandbox. systemd implements it completely, Windows removes privileges, and
// the other managers use an account without privileges and what else they support.
type Profile string

// The profiles.
const (
	// Strict equals Network; with OnSocket the service has no network except the sockets
	// that the manager passes to it.
	Strict Profile = "strict"
	// Network allows the network and the service's own directories. The service sees a
	// read-only file system without /home.
	Network Profile = "network"
	// Localhost is Network restricted to 127.0.0.0/8 and ::1.
	Localhost Profile = "localhost"
	// LowPorts is Network with ports below 1024.
	LowPorts Profile = "low ports"
	// Lenient is for programs with cgo, plugins or a JIT compiler.
	Lenient Profile = "lenient"
	// Unconfined disables the sandbox.
	Unconfined Profile = "no sandbox"
)

// Limits bound what the service may use. Zero means the manager's default.
type Limits struct {
	OpenFiles uint64
	Tasks     uint64  // processes and threads
	Memory    uint64  // bytes
	CPU       float64 // processors: 0.5 is half of one

	// LogRecords is how many records of each level journald accepts per second, or a few
	// times as many if its disk has much free space. If zero, it accepts 10,000 in 30
	// seconds, unless journald.conf says otherwise. It drops the rest, including the run's
	// own records at level info; only journald can count what it dropped. The maximum,
	// 100,000,000, is as good as no limit. It applies to services of the machine under
	// systemd 240 and later.
	LogRecords uint64
}

// Socket is a socket that the manager opens for the program.
//
// If the path of a socket is in the runtime folder of the service, /run/NAME, systemd
// gives the service another one, /run/NAME/service (RUNTIME_DIRECTORY): systemd removes that
// folder each time the service stops, and the socket stays.
type Socket struct {
	Name    string // the name that the program passes to daemon.Socket or daemon.Listen
	Network string // "tcp", "udp" or "unix"
	Address string // "127.0.0.1:80" or ":80"; an absolute path for unix
}

// Systemd has settings for systemd alone. The lines of Unit and Service are added to the
// end of that section as they are: "RequiresMountsFor=/srv".
type Systemd struct {
	Unit, Service []string

	// Credentials maps names to absolute paths. The service can read these files, though
	// its account cannot, under their names in $CREDENTIALS_DIRECTORY (LoadCredential=).
	Credentials map[string]string
}

// Windows has settings for Windows alone.
type Windows struct {
	// Dependencies names services that start before this one, and, with a + before the name,
	// groups of which one member must run. They are added to Config.Dependencies.
	Dependencies []string

	// SecurityDescriptor controls who may do what with the service, as SDDL. If empty,
	// Windows uses its default: administrators may do everything, other users may query the
	// service. If it does not grant administrators everything, (A;;GA;;;BA), they can
	// neither install the service again nor uninstall it.
	SecurityDescriptor string

	// PreshutdownTimeout is how long Windows waits for a service with
	// daemon.Windows.Preshutdown (SERVICE_PRESHUTDOWN_INFO), by default
	// daemon.Config.StopTimeout and 2 seconds more.
	PreshutdownTimeout time.Duration
}

// OpenRC has settings for OpenRC alone.
type OpenRC struct {
	Depend []string // lines of the function depend: "use dns"
}
