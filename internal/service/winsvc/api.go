package winsvc

import (
	"fmt"
	"time"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/win32"
)

// api is what Windows offers, call by call. Windows has it, and a double for tests.
// Its errors are errnos. Paths of the registry are below HKEY_LOCAL_MACHINE.
type api interface {
	OpenManager(access uint32) (handle, error)
	CreateService(manager handle, name string, access uint32, c config, password *string) (handle, error)
	OpenService(manager handle, name string, access uint32) (handle, error)
	Close(handle)
	DeleteService(handle) error
	StartService(handle) error
	ControlService(h handle, c win32.Control) error
	QueryStatus(handle) (status, error)

	// Dependents are the services that need this one, and are not stopped if active, else
	// those that are. A service comes before those that it needs itself.
	Dependents(h handle, active bool) ([]string, error)

	// QueryConfig and ChangeConfig are of all in config; but the account, and the
	// password, which nobody can read, are changed by ChangeAccount. A password that
	// is nil is left as it is.
	QueryConfig(handle) (config, error)
	ChangeConfig(handle, config) error
	ChangeAccount(h handle, account string, password *string) error

	// QueryInfo and ChangeInfo are QueryServiceConfig2 and ChangeServiceConfig2.
	QueryInfo(h handle, l level) (info, error)
	ChangeInfo(h handle, l level, i info) error

	// ServiceSecurity is the DACL of the service itself, in SDDL.
	ServiceSecurity(handle) (string, error)
	SetServiceSecurity(h handle, sddl string) error

	// Privilege fails with win32.ErrorNoSuchPrivilege for the name of a privilege that this Windows
	// does not have.
	Privilege(name string) error

	// Canonical is a descriptor as Windows itself writes it.
	Canonical(sddl string) (string, error)

	ReadValue(key, name string) (value, error)
	WriteValue(key, name string, v value) error
	DeleteValue(key, name string) error
	CreateKey(key string) (made bool, err error)
	DeleteKey(key string) error // with what is in it, but for other keys

	// Security is the owner and the DACL of a file or a folder, in SDDL, and whether it
	// is a link, which is not followed. SetSecurity changes what sddl has of that, and
	// for a link fails with service.ErrUnsafe.
	Security(path string) (sddl string, link bool, err error)
	SetSecurity(path, sddl string) error
	MakeFolder(path, sddl string) error
	RemoveFolder(path string) error // an empty one
	RemoveAll(path string) error

	// Started is when a process was started.
	Started(pid uint32) (time.Time, error)

	// Events calls yield with the records of the Application log that an XPath chooses, as
	// XML, until yield returns false: the oldest first, or the newest.
	Events(xpath string, backwards bool, yield func(xml string) bool) error

	Getenv(name string) string
}

// errLink is a path that leads elsewhere.
var errLink = fmt.Errorf("it is a link: %w", service.ErrUnsafe)

type handle uintptr

// config is QUERY_SERVICE_CONFIG.
type config struct {
	Type         uint32
	Start        uint32
	ErrorControl uint32
	ImagePath    string
	DisplayName  string
	Dependencies []string
	Account      string
}

// status is SERVICE_STATUS_PROCESS.
type status struct {
	State        win32.State
	Accepted     win32.Accepted
	ExitCode     win32.Errno
	SpecificCode uint32
	CheckPoint   uint32
	WaitHint     time.Duration
	PID          uint32
}

// level is one of SERVICE_CONFIG_….
type level uint32

// The levels.
const (
	levelDescription    level = 1
	levelFailureActions level = 2
	levelDelayed        level = 3
	levelNonCrash       level = 4
	levelSID            level = 5
	levelPrivileges     level = 6
	levelPreshutdown    level = 7
)

// info is what a level carries, in the field that is its own.
type info struct {
	Text    string         // levelDescription
	Failure failureActions // levelFailureActions
	Flag    bool           // levelDelayed, levelNonCrash
	Number  uint32         // levelSID; levelPreshutdown, in milliseconds
	List    []string       // levelPrivileges
}

// failureActions is SERVICE_FAILURE_ACTIONS, without what we leave as it is.
type failureActions struct {
	Reset   uint32 // seconds
	Actions []action
}

// action is SC_ACTION.
type action struct {
	Type  uint32
	Delay uint32 // milliseconds
}

// SC_ACTION_….
const (
	actionNone    = 0
	actionRestart = 1
	actionReboot  = 2
	actionCommand = 3
)

// value is what stands in the registry.
type value struct {
	Kind uint32
	Data []byte
}

// The rights to the manager and to a service (Service Security and Access Rights). Each method
// asks only for those that it needs. Package mgr asks for all, and so needs an administrator
// even to read the status of a service.
const (
	managerConnect = 0x1
	managerCreate  = 0x2

	accessQueryConfig   = 0x1
	accessChangeConfig  = 0x2
	accessQueryStatus   = 0x4
	accessDependents    = 0x8
	accessStart         = 0x10
	accessStop          = 0x20
	accessPauseContinue = 0x40
	accessDelete        = 0x10000
	accessReadControl   = 0x20000
	accessWriteDAC      = 0x40000
	accessWriteOwner    = 0x80000
	accessServiceAll    = 0xF01FF
)

// The values of a configuration (QUERY_SERVICE_CONFIG, SERVICE_SID_INFO).
const (
	typeOwnProcess    = 0x10
	typeSharedProcess = 0x20
	typeInteractive   = 0x100

	startAutomatic = 2
	startDemand    = 3
	startDisabled  = 4

	errorControlNormal = 1

	sidNone         = 0
	sidUnrestricted = 1
	sidRestricted   = 3
)

// The types of values of the registry.
const (
	regString = 1
	regExpand = 2
	regDWord  = 4
	regMulti  = 7
)
