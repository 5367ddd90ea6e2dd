//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// idle is how long a program is left alone before it is looked at and stopped.
	// It is also what the peer needs: it catches signals only after Start.
	idle = 50 * time.Millisecond

	// patience is when a program is taken to hang.
	patience = 10 * time.Second
)

// life is what was seen of one process.
type life struct {
	ready    time.Duration // from before fork until READY=1 was read
	stop     time.Duration // from before kill until wait4 has returned
	resident float64       // bytes, when idle
}

// host is where a program runs.
type host int

const (
	alone   host = iota // without a manager
	managed             // with a manager that is somebody else's
	child               // as what systemd itself has started, and has told so
)

// argv is the command line that brings a program there. Only the process itself
// knows its number; a shell hands it over as systemd does.
func (h host) argv(program string) []string {
	if h == child {
		return []string{"/bin/sh", "-c", `SYSTEMD_EXEC_PID=$$ exec "$0"`, program}
	}
	return []string{program}
}

// live runs a program from its birth to its death.
func live(s stage, program string, where host, mood mood) (l life, err error) {
	env := s.env
	managed := where != alone
	var m *manager
	journal, err := newJournal(mood)
	if err != nil {
		return l, err
	}
	defer func() { err = errors.Join(err, journal.close()) }()
	if managed {
		env = append(s.managed(), journal.env())
		if m, err = newManager(s.socket()); err != nil {
			return l, err
		}
		defer func() { err = errors.Join(err, m.close()) }()
	}

	born := time.Now()
	argv := where.argv(program)
	pid, err := syscall.ForkExec(argv[0], argv, &syscall.ProcAttr{
		Env:   env,
		Files: []uintptr{journal.null.Fd(), journal.theirs.Fd(), journal.theirs.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true}, // no terminal, as with systemd
	})
	if err != nil {
		return l, fmt.Errorf("%s: %w", program, err)
	}
	// Not reaped before wait4, the process keeps its number till then.
	hang := time.AfterFunc(patience, func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
	readyErr := error(nil)
	if managed {
		var at time.Time
		at, readyErr = m.waitReady(patience)
		l.ready = at.Sub(born)
	} else {
		readyErr = journal.wait()
	}
	time.Sleep(idle)
	l.resident = residentBytes(pid)

	asked := time.Now()
	killErr := syscall.Kill(pid, syscall.SIGTERM)
	var status syscall.WaitStatus
	for {
		_, err = syscall.Wait4(pid, &status, 0, nil)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	l.stop = time.Since(asked)
	hang.Stop()
	if err := errors.Join(readyErr, killErr, err); err != nil {
		return l, fmt.Errorf("%s: %w", program, err)
	}
	log, err := journal.read()
	if err != nil {
		return l, err
	}
	if status.ExitStatus() != 0 || mood == reads && !strings.Contains(log, "goodbye") {
		return l, fmt.Errorf("%s: did not say goodbye and exit with 0, but %#x:\n%s", program, uint32(status), log)
	}
	return l, nil
}

// residentBytes is VmRSS, 0 if the process is gone; that it should not be shows in
// how it ended.
func residentBytes(pid int) float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(status) {
		if value, ok := bytes.CutPrefix(line, []byte("VmRSS:")); ok {
			kib, _ := strconv.Atoi(string(bytes.TrimSpace(bytes.TrimSuffix(bytes.TrimSpace(value), []byte("kB")))))
			return float64(kib) * 1024
		}
	}
	return 0
}
