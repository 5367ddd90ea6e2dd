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
	managed      bool          // … or the parent of this one
	bad          error         // what could not be understood
}

// listenVariables say what was handed over, see [TakeSockets].
var listenVariables = []string{"LISTEN_FDS", "LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDNAMES"}

// Take reads what systemd has said and takes it out of the environment: it is
// meant for this process, and a child that inherited it would speak in its name.
func Take() Environ {
	e := read(os.Getenv, os.Getpid(), os.Getppid())
	for _, key := range append([]string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}, listenVariables...) {
		_ = os.Unsetenv(key)
	}
	return e
}

func read(get func(string) string, pid, parent int) Environ {
	e := Environ{notifySocket: get("NOTIFY_SOCKET")}
	exec, _ := strconv.Atoi(get("SYSTEMD_EXEC_PID"))
	e.started = exec == pid
	e.managed = exec == pid || exec == parent && exec > 1
	if e.managed && !e.started {
		// A wrapper has started us, and systemd takes it for the main process.
		// When it dies of the SIGTERM that both get, we would be killed. It counts
		// only where the unit lets others than the main process speak at all.
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

// Managed reports whether systemd is what stops this process. NOTIFY_SOCKET alone
// does not say so: it may be inherited, from a terminal's server for one.
func (e Environ) Managed() bool { return e.managed }
