package systemd

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

// Environ holds what systemd tells a service in its environment, see sd_notify(3) and
// sd_watchdog_enabled(3).
type Environ struct {
	notifySocket string
	watchdog     time.Duration // 0 if systemd expects no signs of life
	mainPID      int           // the main process to announce, 0 if none
	started      bool          // systemd itself started this process
	bad          error         // describes what could not be parsed
}

// listenVariables describe the descriptors that systemd passed, see [TakeSockets].
var listenVariables = []string{"LISTEN_FDS", "LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDNAMES"}

// Take reads the variables of systemd and removes them from the environment: they are meant
// for this process, and a child that inherited them would speak in its name.
//
// With wrapped, the process counts as a systemd service even if a wrapper script started it.
func Take(wrapped bool) Environ {
	parent := 0
	if wrapped {
		parent = os.Getppid()
	}
	e := parseEnviron(os.Getenv, os.Getpid(), parent)
	for _, key := range append([]string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}, listenVariables...) {
		_ = os.Unsetenv(key)
	}
	return e
}

// parseEnviron parses the variables. parent is the PID of a wrapper, 0 if there is none.
func parseEnviron(get func(string) string, pid, parent int) Environ {
	e := Environ{notifySocket: get("NOTIFY_SOCKET")}
	exec, _ := strconv.Atoi(get("SYSTEMD_EXEC_PID"))
	e.started = exec == pid
	if exec > 1 && exec == parent {
		// systemd takes the wrapper for the main process. If the wrapper dies of the SIGTERM
		// that both get, systemd may kill this process. Announcing the main process prevents
		// that; the unit must permit it with NotifyAccess=all.
		e.mainPID = pid
	}
	usec, watched := get("WATCHDOG_USEC"), get("WATCHDOG_PID")
	if usec == "" || watched != "" && watched != strconv.Itoa(pid) {
		return e
	}
	n, err := strconv.ParseUint(usec, 10, 64)
	switch {
	case err != nil || n == 0:
		e.bad = fmt.Errorf("WATCHDOG_USEC=%q: want a positive number of microseconds; the watchdog gets no sign of life", usec)
	case n < uint64(1<<63-1)/1000: // a larger one, or "infinity", means no watchdog
		e.watchdog = time.Duration(n) * time.Microsecond
	}
	return e
}

// Managed reports whether systemd started this process: SYSTEMD_EXEC_PID is its own PID. The
// mere presence of that variable or of NOTIFY_SOCKET proves nothing: every descendant of a
// service inherits them, and so does a program that a person starts in a terminal that runs
// as a service.
func (e Environ) Managed() bool { return e.started }
