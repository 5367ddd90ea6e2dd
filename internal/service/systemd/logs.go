package systemd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/log/logtext"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/records"
	"github.com/go-glidepath/glidepath/internal/service/system/command"
)

// maxEntry is the number of bytes of an entry that are read.
const maxEntry = 8 << 20

// Logs writes the journal of the unit, including what systemd logs about it. With q.Follow it
// runs until ctx ends, and then returns nil.
func (m *Manager) Logs(ctx context.Context, s manage.Spec, q manage.LogQuery, w io.Writer) error {
	if err := requireInstance(s); err != nil {
		return err
	}
	view := records.NewView(q, w)
	r := journalReader{m: m, view: view, args: append(filterArgs(q), m.journalArgs(s)...), begun: time.Now()}
	// Where journalctl cannot select the entries, all are read and selected here.
	lines := "all"
	if q.Lines > 0 && q.Match == nil && q.PID == 0 {
		lines = fmt.Sprint(q.Lines)
	}
	args := []string{"--lines=" + lines}
	if !q.Since.IsZero() {
		args = append(args, fmt.Sprintf("--since=@%d", q.Since.Unix())) // whole seconds; the view compares the fraction
	}
	if err := r.read(ctx, args...); err != nil {
		return logsError(ctx, q, err)
	}
	if err := view.Flush(); err != nil {
		return err
	}
	switch {
	case q.Follow:
		return logsError(ctx, q, r.read(ctx, "--lines=all", "--follow", r.resumeArg()))
	case view.Seen == 0 && !m.user:
		return m.emptyLogError(ctx)
	}
	return nil
}

// logsError returns the error of journalctl, or nil if an interrupt has ended following. At a
// terminal, journalctl gets the interrupt too.
func logsError(ctx context.Context, q manage.LogQuery, err error) error {
	var e *command.Error
	if q.Follow && (ctx.Err() != nil || errors.As(err, &e) && e.Code == -1) {
		return nil
	}
	return err
}

// filterArgs returns the journalctl arguments that select the severities of the wanted
// levels.
func filterArgs(q manage.LogQuery) []string {
	args := []string{"--no-pager", "--quiet", "--output=json", "--all"}
	if l, some := records.Lowest(q.Level); some {
		args = append(args, fmt.Sprintf("--priority=%d", logtext.Severity(l)))
	}
	return args
}

// journalReader reads the existing journal, and then the entries that follow.
type journalReader struct {
	m      *Manager
	view   *records.View
	args   []string
	begun  time.Time
	cursor string // of the last entry
}

// resumeArg returns the argument that selects the entries that were not read yet. journalctl
// accepts only one of the two.
func (r *journalReader) resumeArg() string {
	if r.cursor != "" {
		return "--after-cursor=" + r.cursor
	}
	return fmt.Sprintf("--since=@%d", r.begun.Unix())
}

// read reads what journalctl prints with args.
func (r *journalReader) read(ctx context.Context, args ...string) error {
	var complaints strings.Builder
	lines := lineWriter{handle: r.add}
	err := r.m.stream(ctx, &lines, &complaints, "journalctl", append(r.args[:len(r.args):len(r.args)], args...)...)
	var e *command.Error
	if errors.As(err, &e) {
		e.Stderr = complaints.String()
	}
	if said := oneLine(complaints.String()); said != "" && err == nil {
		r.m.machine.Note("journalctl: " + said)
	}
	return r.m.explain(err)
}

func (r *journalReader) add(line []byte) error {
	e, ok := parseEntry(line)
	if !ok {
		return nil
	}
	r.cursor = e.cursor
	return r.view.Add(e.record)
}

// lineWriter is an io.Writer that passes each line to a function, cut to maxEntry bytes.
type lineWriter struct {
	handle func(line []byte) error
	line   []byte
}

func (e *lineWriter) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		part, rest, whole := strings.Cut(string(p), "\n")
		e.line = append(e.line, part[:min(len(part), maxEntry-len(e.line))]...)
		p = []byte(rest)
		if !whole {
			break
		}
		if err := e.handle(e.line); err != nil {
			return 0, err
		}
		e.line = e.line[:0]
	}
	return n, nil
}

// journalArgs returns the journalctl arguments that select the entries about the service.
func (m *Manager) journalArgs(s manage.Spec) []string {
	if !m.user {
		return []string{"--unit=" + unitName(s)}
	}
	return append(m.programArgs(s), "+", "USER_UNIT="+unitName(s), m.uidArg(), "+", "COREDUMP_USER_UNIT="+unitName(s), m.uidArg())
}

// programArgs returns the arguments that select what a user's service has logged itself.
// journald does not learn the unit of a process that has already ended, but always its name
// and user.
func (m *Manager) programArgs(s manage.Spec) []string {
	return []string{
		"_SYSTEMD_USER_UNIT=" + unitName(s), m.uidArg(),
		"+", "SYSLOG_IDENTIFIER=" + s.ServiceName(), m.uidArg(),
	}
}

func (m *Manager) uidArg() string { return fmt.Sprintf("_UID=%d", m.uid()) }

// emptyLogError returns an error if an empty log may be due to missing rights.
func (m *Manager) emptyLogError(ctx context.Context) error {
	var complaints strings.Builder
	_ = m.stream(ctx, io.Discard, &complaints, "journalctl", "--no-pager", "--lines=0") // without --quiet it says what it cannot read
	if !strings.Contains(complaints.String(), "not seeing messages from other users") {
		return nil
	}
	return fmt.Errorf("%w: run it as root (sudo), or as a member of the group systemd-journal: not every user may read the machine's journal", service.ErrPermission)
}
