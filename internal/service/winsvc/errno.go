package winsvc

import (
	"errors"
	"fmt"
)

// errno is a Win32 error.
type errno uint32

// Those that mean something here.
const (
	noError                 errno = 0
	errFileNotFound         errno = 2
	errPathNotFound         errno = 3
	errAccessDenied         errno = 5
	errInvalidParameter     errno = 87
	errCallNotImplemented   errno = 120
	errInvalidLevel         errno = 124
	errAlreadyExists        errno = 183
	errDependentRunning     errno = 1051 // ERROR_DEPENDENT_SERVICES_RUNNING
	errInvalidControl       errno = 1052
	errRequestTimeout       errno = 1053
	errDatabaseLocked       errno = 1055
	errAlreadyRunning       errno = 1056
	errInvalidAccount       errno = 1057 // ERROR_INVALID_SERVICE_ACCOUNT
	errDisabled             errno = 1058
	errCircularDependency   errno = 1059
	errDoesNotExist         errno = 1060
	errCannotAcceptControl  errno = 1061
	errNotActive            errno = 1062
	errServiceSpecific      errno = 1066
	errDependencyFail       errno = 1068
	errLogonFailed          errno = 1069
	errMarkedForDelete      errno = 1072
	errServiceExists        errno = 1073
	errDependencyDeleted    errno = 1075
	errNeverStarted         errno = 1077
	errDuplicateDisplayName errno = 1078
	errNoSuchPrivilege      errno = 1313
)

// words are in English whatever the language of the system is, and say what there is
// to do where the system's do not.
var words = map[errno]string{
	errFileNotFound:         "the file is not there",
	errPathNotFound:         "the folder is not there",
	errAccessDenied:         "access is denied",
	errInvalidParameter:     "a parameter is wrong",
	errCallNotImplemented:   "the program does not know this control",
	errInvalidLevel:         "this Windows does not know this setting",
	193:                     "the executable is none for this Windows",
	216:                     "the executable is for another processor",
	errAlreadyExists:        "it is there already",
	1051:                    "other services that run need it",
	errInvalidControl:       "the program does not take this control, or not in this state",
	errRequestTimeout:       "the program did not answer in time; on a start, it has not connected to the service control manager within 30 s",
	errDatabaseLocked:       "another service is just being started",
	errAlreadyRunning:       "the service runs already",
	errInvalidAccount:       "there is no such account, or its password is wrong, or a part of the name is missing",
	errDisabled:             "the service is disabled, or has no device",
	errCircularDependency:   "services would need one another in a circle",
	errDoesNotExist:         "there is no such service",
	errCannotAcceptControl:  "the service takes no controls in this state",
	errNotActive:            "the service does not run",
	1064:                    "the program has ended with an exception",
	errServiceSpecific:      "the program has an exit code of its own",
	1067:                    "the process ended unexpectedly",
	errDependencyFail:       "a service that it needs did not start",
	errLogonFailed:          "its account could not log on: it has no right to log on as a service, or its password is wrong or, if it is a managed account, cannot be retrieved by this machine",
	errMarkedForDelete:      "it is marked for deletion",
	errServiceExists:        "there is a service of this name already",
	errDependencyDeleted:    "a service that it needs does not exist, or is marked for deletion",
	errNeverStarted:         "it was never started since the system was",
	errDuplicateDisplayName: "another service has this name, as its name or its display name",
	1079:                    "its account is another than that of the services in the same process",
	1115:                    "the system is shutting down",
	1297:                    "its account does not have a privilege that the service requires",
	errNoSuchPrivilege:      "there is no such privilege",
	1314:                    "a privilege is missing",
}

func (e errno) Error() string {
	text, ok := words[e]
	if !ok {
		text = systemText(e)
	}
	return fmt.Sprintf("%s (error %d)", text, uint32(e))
}

// number is the errno in err, 0 if there is none.
func number(err error) errno {
	var e errno
	if errors.As(err, &e) {
		return e
	}
	return 0
}

// ourCodes are the exit codes of package daemon.
var ourCodes = map[uint32]string{
	1:   "it has failed, its log says how",
	2:   "its command line is wrong",
	78:  "its configuration is wrong, its log says how; it is of no use to start it again before that is mended",
	124: "it had not stopped at its deadline",
}

// ended says how a service has ended, and with which code.
func ended(s status) (text string, code int) {
	if s.ExitCode != errServiceSpecific {
		return s.ExitCode.Error(), int(s.ExitCode)
	}
	text, ok := ourCodes[s.SpecificCode]
	if !ok {
		text = words[errServiceSpecific]
	}
	return fmt.Sprintf("%s (code %d/%d)", text, uint32(errServiceSpecific), s.SpecificCode), int(s.SpecificCode)
}
