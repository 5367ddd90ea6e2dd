package systemd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/command"
)

// Logs is the journal of the unit, with what systemd itself says about it. Following
// ends with ctx, and returns nil then.
func (m *Manager) Logs(ctx context.Context, s service.Spec, q service.LogQuery, w io.Writer) error {
	if err := which(s); err != nil {
		return err
	}
	lines := "all"
	if q.Lines > 0 {
		lines = fmt.Sprint(q.Lines)
	}
	args := append([]string{"--no-pager", "--quiet", "--output=short-iso"}, m.entries(s)...)
	args = append(args, "--lines="+lines)
	if q.Follow {
		args = append(args, "--follow")
	}
	var complaints strings.Builder
	written := counter{w: w}
	err := m.stream(ctx, &written, &complaints, "journalctl", args...)
	var e *command.Error
	if errors.As(err, &e) && q.Follow && e.Code == -1 {
		return nil // an interrupt at the terminal is for journalctl as well
	}
	if q.Follow && ctx.Err() != nil {
		return nil
	}
	if e != nil {
		e.Stderr = complaints.String()
	}
	if err := m.explain(err); err != nil {
		return err
	}
	if said := oneLine(complaints.String()); said != "" {
		m.machine.Note("journalctl: " + said)
	}
	if written.n == 0 && !m.user {
		return m.unreadable(ctx)
	}
	return nil
}

// entries are the arguments of journalctl that choose what is about the service.
func (m *Manager) entries(s service.Spec) []string {
	if !m.user {
		return []string{"--unit=" + unit(s)}
	}
	return append(m.words(s), "+", "USER_UNIT="+unit(s), m.own(), "+", "COREDUMP_USER_UNIT="+unit(s), m.own())
}

// words choose what the service of a user has said itself. Journald does not know the
// unit of a process that is gone when it looks, but always its name and its user.
func (m *Manager) words(s service.Spec) []string {
	return []string{
		"_SYSTEMD_USER_UNIT=" + unit(s), m.own(),
		"+", "SYSLOG_IDENTIFIER=" + s.ServiceName(), m.own(),
	}
}

func (m *Manager) own() string { return fmt.Sprintf("_UID=%d", m.uid()) }

// unreadable is the error of an empty log where that may be for want of rights.
func (m *Manager) unreadable(ctx context.Context) error {
	var complaints strings.Builder
	_ = m.stream(ctx, io.Discard, &complaints, "journalctl", "--no-pager", "--lines=0") // not quiet: it says what it cannot see
	if !strings.Contains(complaints.String(), "not seeing messages from other users") {
		return nil
	}
	return fmt.Errorf("%w: run it as root (sudo), or as a member of the group systemd-journal: the journal of the machine is not for everybody", service.ErrPermission)
}

// counter counts what is written.
type counter struct {
	w io.Writer
	n int
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += n
	return n, err
}
