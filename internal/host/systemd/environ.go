package systemd

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

// Environ is what systemd says to a service in its environment, sd_notify(3) and
// sd_watchdog_enabled(3).
type Environ struct {
	notifySocket string
	watchdog     time.Duration // 0 if systemd does not wait for signs of life
	mainPID      int           // what to announce as the main process, 0 if nothing
	started      bool          // systemd itself has started this process
	bad          error         // what could not be understood
}

// listenVariables say what was handed over, see [TakeSockets].
var listenVariables = []string{"LISTEN_FDS", "LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDNAMES"}

// Take reads what systemd has said and takes it out of the environment: it is
// meant for this process, and a child that inherited it would speak in its name.
//
// With wrapped, the program says that it is a service of systemd even where a wrapper
// has started it.
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

// parseEnviron reads the variables. parent is the PID of a wrapper, 0 if there is none.
func parseEnviron(get func(string) string, pid, parent int) Environ {
	e := Environ{notifySocket: get("NOTIFY_SOCKET")}
	exec, _ := strconv.Atoi(get("SYSTEMD_EXEC_PID"))
	e.started = exec == pid
	if exec > 1 && exec == parent {
		// systemd takes the wrapper for the main process. When the wrapper dies of the
		// SIGTERM that both get, systemd may kill us. The unit has to allow this, with
		// NotifyAccess=all.
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
	case n < uint64(1<<63-1)/1000: // beyond it, and with "infinity", there is none
		e.watchdog = time.Duration(n) * time.Microsecond
	}
	return e
}

// Managed reports whether systemd has certainly started this process: SYSTEMD_EXEC_PID
// is its own PID. Every descendant of a service inherits that variable and
// NOTIFY_SOCKET, and so does what a person starts in a terminal that is a service: that
// they are set, even to the PID of the parent, proves nothing.
func (e Environ) Managed() bool { return e.started }
