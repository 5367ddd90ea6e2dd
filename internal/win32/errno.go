package win32

import (
	"errors"
	"fmt"
)

// Errno is an error of Windows, one of the [system error codes]. Compare it with errors.Is.
//
// [system error codes]: https://learn.microsoft.com/windows/win32/debug/system-error-codes
type Errno uint32

// The errors that services, their manager and their clients exchange.
const (
	NoError                       Errno = 0
	ErrorFileNotFound             Errno = 2
	ErrorPathNotFound             Errno = 3
	ErrorAccessDenied             Errno = 5
	ErrorInvalidHandle            Errno = 6
	ErrorInvalidData              Errno = 13
	ErrorInvalidParameter         Errno = 87
	ErrorCallNotImplemented       Errno = 120
	ErrorInvalidLevel             Errno = 124
	ErrorAlreadyExists            Errno = 183
	ErrorBadExeFormat             Errno = 193
	ErrorExeMachineTypeMismatch   Errno = 216
	ErrorNoMoreItems              Errno = 259
	ErrorDependentServicesRunning Errno = 1051
	ErrorInvalidServiceControl    Errno = 1052
	ErrorServiceRequestTimeout    Errno = 1053
	ErrorServiceDatabaseLocked    Errno = 1055
	ErrorServiceAlreadyRunning    Errno = 1056
	ErrorInvalidServiceAccount    Errno = 1057
	ErrorServiceDisabled          Errno = 1058
	ErrorCircularDependency       Errno = 1059
	ErrorServiceDoesNotExist      Errno = 1060
	ErrorServiceCannotAcceptCtrl  Errno = 1061
	ErrorServiceNotActive         Errno = 1062
	ErrorExceptionInService       Errno = 1064
	ErrorServiceSpecific          Errno = 1066 // ERROR_SERVICE_SPECIFIC_ERROR
	ErrorProcessAborted           Errno = 1067
	ErrorServiceDependencyFail    Errno = 1068
	ErrorServiceLogonFailed       Errno = 1069
	ErrorServiceMarkedForDelete   Errno = 1072
	ErrorServiceExists            Errno = 1073
	ErrorServiceDependencyDeleted Errno = 1075
	ErrorServiceNeverStarted      Errno = 1077
	ErrorDuplicateServiceName     Errno = 1078
	ErrorDifferentServiceAccount  Errno = 1079
	ErrorShutdownInProgress       Errno = 1115
	ErrorIncompatiblePrivilege    Errno = 1297 // ERROR_INCOMPATIBLE_SERVICE_PRIVILEGE
	ErrorNoSuchPrivilege          Errno = 1313
	ErrorPrivilegeNotHeld         Errno = 1314
)

// texts has the meanings in English, whatever the language of the system. Some say more than the
// texts of the system, which do not always tell what to do.
var texts = map[Errno]string{
	NoError:                       "no error",
	ErrorFileNotFound:             "file not found",
	ErrorPathNotFound:             "folder not found",
	ErrorAccessDenied:             "access is denied",
	ErrorInvalidHandle:            "the handle is invalid",
	ErrorInvalidData:              "the data is invalid",
	ErrorInvalidParameter:         "a parameter is invalid",
	ErrorCallNotImplemented:       "the program does not handle this control",
	ErrorInvalidLevel:             "this version of Windows does not have this setting",
	ErrorAlreadyExists:            "it already exists",
	ErrorBadExeFormat:             "not a valid executable for this version of Windows",
	ErrorExeMachineTypeMismatch:   "the executable is for another type of processor",
	ErrorDependentServicesRunning: "running services depend on it",
	ErrorInvalidServiceControl:    "the program does not accept this control, or not in its current state",
	ErrorServiceRequestTimeout:    "the program did not respond in time; a program that starts as a service has to connect to the service control manager within 30 s",
	ErrorServiceDatabaseLocked:    "another service is being started",
	ErrorServiceAlreadyRunning:    "the service is already running",
	ErrorInvalidServiceAccount:    "the account does not exist, its password is wrong, or its name is incomplete",
	ErrorServiceDisabled:          "the service is disabled, or has no enabled device",
	ErrorCircularDependency:       "services would depend on each other in a circle",
	ErrorServiceDoesNotExist:      "the service does not exist",
	ErrorServiceCannotAcceptCtrl:  "the service cannot accept control messages at this time",
	ErrorServiceNotActive:         "the service is not running",
	ErrorExceptionInService:       "the program ended with an exception",
	ErrorServiceSpecific:          "the program ended with an exit code of its own",
	ErrorProcessAborted:           "the process ended unexpectedly",
	ErrorServiceDependencyFail:    "a service that it depends on did not start",
	ErrorServiceLogonFailed:       "its account could not log on: it has no right to log on as a service, or its password is wrong or, for a managed account, cannot be retrieved by this machine",
	ErrorServiceMarkedForDelete:   "the service is marked for deletion",
	ErrorServiceExists:            "a service of this name already exists",
	ErrorServiceDependencyDeleted: "a service that it depends on does not exist, or is marked for deletion",
	ErrorServiceNeverStarted:      "the service has not been started since the last boot",
	ErrorDuplicateServiceName:     "another service has this name, as its name or its display name",
	ErrorDifferentServiceAccount:  "its account differs from that of other services in the same process",
	ErrorShutdownInProgress:       "the system is shutting down",
	ErrorIncompatiblePrivilege:    "its account does not have a privilege that the service requires",
	ErrorNoSuchPrivilege:          "there is no such privilege",
	ErrorPrivilegeNotHeld:         "a required privilege is missing",
}

// Text returns the meaning of e. For an error that is not in the table, it returns the system's
// text on Windows, and a text with the number elsewhere.
func (e Errno) Text() string {
	if text, ok := texts[e]; ok {
		return text
	}
	return systemText(e)
}

// Error returns the meaning of e and its number.
func (e Errno) Error() string { return fmt.Sprintf("%s (error %d)", e.Text(), uint32(e)) }

// Number returns the Errno in err, or NoError if there is none.
func Number(err error) Errno {
	var e Errno
	if errors.As(err, &e) {
		return e
	}
	return NoError
}
