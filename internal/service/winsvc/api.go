package winsvc

import (
	"fmt"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/win32"
)

// api has the calls of Windows that this package makes. Windows implements it, and a double
// for tests. Its errors are of type win32.Errno. Keys of the registry are relative to
// HKEY_LOCAL_MACHINE.
type api interface {
	OpenManager(access uint32) (handle, error)
	CreateService(manager handle, name string, access uint32, c config, password *string) (handle, error)
	OpenService(manager handle, name string, access uint32) (handle, error)
	Close(handle)
	DeleteService(handle) error
	StartService(handle) error
	ControlService(h handle, c win32.Control) error
	QueryStatus(handle) (status, error)

	// Dependents returns the services that depend on this one: those that are not stopped
	// if active is true, and those that are stopped otherwise. Each service comes before
	// those that it depends on.
	Dependents(h handle, active bool) ([]string, error)

	// QueryConfig returns all of config. ChangeConfig changes all of it except the account.
	// ChangeAccount changes the account and the password, which cannot be read. It keeps the
	// password if that is nil.
	QueryConfig(handle) (config, error)
	ChangeConfig(handle, config) error
	ChangeAccount(h handle, account string, password *string) error

	// QueryInfo calls QueryServiceConfig2, and ChangeInfo calls ChangeServiceConfig2.
	QueryInfo(h handle, l level) (info, error)
	ChangeInfo(h handle, l level, i info) error

	// ServiceSecurity returns the DACL of the service itself, in SDDL.
	ServiceSecurity(handle) (string, error)
	SetServiceSecurity(h handle, sddl string) error

	// Privilege returns win32.ErrorNoSuchPrivilege if this version of Windows has no privilege
	// of that name.
	Privilege(name string) error

	// Canonical returns a descriptor in the form in which Windows writes it.
	Canonical(sddl string) (string, error)

	ReadValue(key, name string) (value, error)
	WriteValue(key, name string, v value) error
	DeleteValue(key, name string) error
	CreateKey(key string) (made bool, err error)
	DeleteKey(key string) error // with its values; it must not contain keys

	// Security returns the owner and the DACL of a file or a folder, in SDDL, and whether it
	// is a link. SetSecurity changes the owner, the DACL or both, whichever sddl contains.
	// It returns service.ErrUnsafe for a link. Neither follows links.
	Security(path string) (sddl string, link bool, err error)
	SetSecurity(path, sddl string) error
	MakeFolder(path, sddl string) error
	RemoveFolder(path string) error // which must be empty
	RemoveAll(path string) error

	// Started returns when a process was started.
	Started(pid uint32) (time.Time, error)

	// Events calls yield with each record of the Application log that the XPath selects, as
	// XML, until yield returns false. It begins with the oldest, or with the newest if
	// backwards is true.
	Events(xpath string, backwards bool, yield func(xml string) bool) error

	Getenv(name string) string
}

// errLink is returned for a path that is a link, which may lead anywhere.
var errLink = fmt.Errorf("it is a link: %w", service.ErrUnsafe)

type handle uintptr

// config holds the fields of QUERY_SERVICE_CONFIG.
type config struct {
	Type         uint32
	Start        uint32
	ErrorControl uint32
	ImagePath    string
	DisplayName  string
	Dependencies []string
	Account      string
}

// status holds the fields of SERVICE_STATUS_PROCESS.
type status struct {
	State        win32.State
	Accepted     win32.Accepted
	ExitCode     win32.Errno
	SpecificCode uint32
	CheckPoint   uint32
	WaitHint     time.Duration
	PID          uint32
}

// level tells what QueryServiceConfig2 reads: SERVICE_CONFIG_….
type level uint32

const (
	levelDescription    level = 1
	levelFailureActions level = 2
	levelDelayed        level = 3
	levelNonCrash       level = 4
	levelSID            level = 5
	levelPrivileges     level = 6
	levelPreshutdown    level = 7
)

// info holds what one level carries, in the field of that level.
type info struct {
	Text    string         // levelDescription
	Failure failureActions // levelFailureActions
	Flag    bool           // levelDelayed, levelNonCrash
	Number  uint32         // levelSID; levelPreshutdown, in milliseconds
	List    []string       // levelPrivileges
}

// failureActions holds the fields of SERVICE_FAILURE_ACTIONS that this package changes.
type failureActions struct {
	Reset   uint32 // seconds
	Actions []action
}

// action is an SC_ACTION: what the manager does after a failure.
type action struct {
	Type  uint32
	Delay uint32 // milliseconds
}

// The types of actions, SC_ACTION_….
const (
	actionNone    = 0
	actionRestart = 1
	actionReboot  = 2
	actionCommand = 3
)

// value is a value of the registry.
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
