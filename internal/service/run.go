package service

import (
	"bytes"
	"context"
	"strings"
)

// LastRunner is a Manager that knows which lines of the log are those of the last run.
type LastRunner interface {
	// LastRun returns the last lines of the log of the run that goes on, or has ended
	// last, with what the manager says about it.
	LastRun(ctx context.Context, s Spec) (log string, err error)
}

// lastLines bounds how much of a log is looked at.
const lastLines = 200

// LastRun returns the last lines that the last run of s has logged.
func LastRun(ctx context.Context, m Manager, s Spec) (string, error) {
	if l, ok := m.(LastRunner); ok {
		return l.LastRun(ctx, s)
	}
	var log bytes.Buffer
	if err := m.Logs(ctx, s, LogQuery{Lines: lastLines}, &log); err != nil {
		return "", err
	}
	return ofLastRun(log.String()), nil
}

// ofLastRun returns the lines of the run that has logged last. Where the lines name their
// process in the manner of syslog, TAG[PID]: , that is the last process; output without
// such a head belongs to the process before it. Elsewhere it begins with the record that
// every run begins with. A log that has neither is returned whole.
func ofLastRun(log string) string {
	lines := strings.SplitAfter(log, "\n")
	first, process := 0, ""
	for i := len(lines) - 1; i >= 0; i-- {
		p := processOf(lines[i])
		switch {
		case p == "" && process == "" && begins(lines[i]):
			return strings.Join(lines[i:], "")
		case p == "":
		case process == "" || p == process:
			first, process = i, p
		default:
			return strings.Join(lines[first:], "")
		}
	}
	return log
}

// begins reports whether a line is the first record of a run: as JSON, or in an Event Log.
func begins(line string) bool {
	return strings.Contains(line, `"event":"starting"`) || strings.HasSuffix(strings.TrimRight(line, "\r\n"), " info starting")
}

// processOf returns the [PID] in the head of a line of syslog, "" if it has none.
func processOf(line string) string {
	head, _, ok := strings.Cut(line, "]: ")
	at := strings.LastIndexByte(head, '[')
	if !ok || at < 0 {
		return ""
	}
	for _, c := range head[at+1:] {
		if c < '0' || c > '9' {
			return ""
		}
	}
	return head[at:]
}

// Confiner is a Manager that says what a service may not do.
type Confiner interface {
	Confined(ctx context.Context, s Spec) Confinement
}

// Confinement says who a service is, and what its manager keeps from it.
type Confinement struct {
	Account    string            // "" if it is not known
	Dynamic    bool              // the account exists only while the service runs
	Directives map[string]string // of the sandbox, as systemd has them
}

// Confined returns what m keeps from s: nothing if m does not say.
func Confined(ctx context.Context, m Manager, s Spec) Confinement {
	if c, ok := m.(Confiner); ok {
		return c.Confined(ctx, s)
	}
	return Confinement{}
}

// Passer is a Manager that says with which arguments it starts a service.
type Passer interface {
	// Passes returns false if the service is not installed, or not by this package.
	Passes(ctx context.Context, s Spec) (args []string, ok bool)
}

// Passed says with which arguments m starts s. It returns false if m does not say.
func Passed(ctx context.Context, m Manager, s Spec) (args []string, ok bool) {
	p, ok := m.(Passer)
	if !ok {
		return nil, false
	}
	return p.Passes(ctx, s)
}
