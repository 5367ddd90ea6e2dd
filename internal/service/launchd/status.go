package launchd

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/system/command"
	"github.com/go-glidepath/glidepath/internal/service/onefile"
)

// job is what launchctl print says of a service.
type job struct {
	loaded bool
	state  string // "running", "not running", "spawn scheduled", "xpcproxy", …
	pid    int
	runs   int
	code   int    // of the last end; -1 if it has not ended, or by a signal
	signal string // "Killed: 9": what has ended it
}

func (j job) running() bool { return j.pid != 0 }

// leaving reports whether the job was booted out and is not gone yet.
func (j job) leaving() bool {
	return strings.Contains(j.state, "SIGTERM") || strings.Contains(j.state, "removing")
}

// print asks launchd for the job. One that is not loaded is no error.
func (m *Manager) print(ctx context.Context, domain, name string) (job, error) {
	out, err := m.launchctl(ctx, "print", domain+"/"+name)
	switch code := command.Code(err); {
	case err == nil:
		return parse(out), nil
	case code == 113 || code == 112 || code == 3:
		return job{code: -1}, nil
	}
	return job{code: -1}, err
}

// parse reads the lines of the job itself, which begin with one tab: those below them
// have names in common with it.
func parse(out string) job {
	j := job{loaded: true, code: -1}
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "\t") || strings.HasPrefix(line, "\t\t") {
			continue
		}
		name, value, ok := strings.Cut(strings.TrimSpace(line), " = ")
		if !ok {
			continue
		}
		switch name {
		case "state":
			j.state = value
		case "pid":
			j.pid, _ = strconv.Atoi(value)
		case "runs":
			j.runs, _ = strconv.Atoi(value)
		case "last exit code": // "0", "78: EX_CONFIG", "(never exited)"
			number, _, _ := strings.Cut(value, ":")
			if n, err := strconv.Atoi(number); err == nil {
				j.code = n
			}
		case "last terminating signal":
			j.signal = value
		}
	}
	return j
}

// disabledIn reads what launchctl print-disabled says: "name" => disabled, or => true.
func disabledIn(out, name string) bool {
	for line := range strings.Lines(out) {
		quoted, value, ok := strings.Cut(strings.TrimSpace(line), " => ")
		if ok && quoted == strconv.Quote(name) {
			return value == "disabled" || value == "true"
		}
	}
	return false
}

// Status implements service.Manager.
func (m *Manager) Status(ctx context.Context, s service.Spec) (service.Status, error) {
	return m.status(ctx, m.domain(ctx), s)
}

func (m *Manager) status(ctx context.Context, domain string, s service.Spec) (service.Status, error) {
	name := s.ServiceName()
	st := service.Status{State: service.Unknown, ExitCode: -1}
	j, err := m.print(ctx, domain, name)
	if err != nil {
		return st, fmt.Errorf("status of %s: %w", name, err)
	}
	text, exists, err := m.m.Tree.Read(m.layout(name).plist)
	if err != nil {
		return st, fmt.Errorf("status of %s: %w", name, err)
	}
	if !exists && !j.loaded {
		st.State = service.NotInstalled
		return st, nil
	}
	if exists {
		st.Start = service.Automatic
		disabled, err := m.disabled(ctx, domain, name)
		if err != nil {
			return st, fmt.Errorf("status of %s: %w", name, err)
		}
		if disabled || strings.Contains(text, "<key>RunAtLoad</key>\n\t<false/>") {
			st.Start = service.Manual
		}
	}
	st.State, st.Detail = state(j)
	st.PID, st.ExitCode, st.Restarts = j.pid, j.code, max(0, j.runs-1)
	if j.pid != 0 {
		st.Since = m.since(ctx, j.pid)
	}
	return st, nil
}

// state is what a job does, with launchd's own words where there is more to say.
func state(j job) (service.State, string) {
	failed := j.signal != "" || j.code > 0
	switch {
	case !j.loaded:
		return service.Stopped, "not loaded"
	case j.leaving():
		return service.Stopping, j.state
	case j.running():
		return service.Running, ""
	case failed && j.signal != "":
		return service.Failed, fmt.Sprintf("%s, last terminating signal %s", j.state, j.signal)
	case failed:
		return service.Failed, fmt.Sprintf("%s, last exit code %d", j.state, j.code)
	case j.state == "spawn scheduled" || j.state == "xpcproxy":
		return service.Starting, j.state
	}
	return service.Stopped, j.state
}

// since is when a process began, zero if ps does not say.
func (m *Manager) since(ctx context.Context, pid int) time.Time {
	out, err := m.m.Runner()(ctx, "ps", "-o", "etime=", "-p", strconv.Itoa(pid))
	if err != nil {
		return time.Time{}
	}
	d, ok := onefile.Elapsed(out)
	if !ok {
		return time.Time{}
	}
	return time.Now().Add(-d).Truncate(time.Second)
}
