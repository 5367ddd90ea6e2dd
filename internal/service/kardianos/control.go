package kardianos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	kardianos "github.com/kardianos/service"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/script"
	"github.com/go-glidepath/glidepath/internal/service/syslogfile"
	"github.com/go-glidepath/glidepath/internal/service/system/command"
)

// do has kardianos/service do something, and says where to find what it has lost.
func (d dialect) do(s manage.Spec, verb func(control) error) error {
	k, err := d.open(d.system, d.config(s))
	if err != nil {
		return err
	}
	if err := verb(k); err != nil {
		tool := "initctl status " + s.ServiceName()
		if d.system == src {
			tool = "lssrc -s " + s.ServiceName()
		}
		return fmt.Errorf("%w (kardianos/service; %s may tell more)", err, tool)
	}
	return nil
}

func (d dialect) Start(_ context.Context, s manage.Spec, _ service.Status) error {
	return d.do(s, control.Start)
}

func (d dialect) Stop(ctx context.Context, s manage.Spec, _ service.Status) error {
	if err := d.do(s, control.Stop); err != nil {
		return err
	}
	return script.AwaitStopped(ctx, s.ServiceName(), 100*time.Millisecond, time.Minute, func() (bool, error) {
		st, err := d.Status(ctx, s, "")
		return st.State == service.Stopped, err
	})
}

// Reload implements script.Dialect. kardianos/service has none.
func (d dialect) Reload(ctx context.Context, s manage.Spec, _ string) error {
	st, err := d.Status(ctx, s, "")
	if err == nil && st.PID == 0 {
		err = service.ErrNotRunning
	}
	if err == nil {
		_, err = d.Runner()(ctx, "kill", "-HUP", strconv.Itoa(st.PID))
	}
	return err
}

// Logs implements logger. Upstart has the standard error in a file; AIX has none.
func (d dialect) Logs(ctx context.Context, s manage.Spec, q manage.LogQuery, w io.Writer) error {
	if d.system == src {
		return fmt.Errorf("%w: AIX keeps nothing of what a service writes; see the file that it logs to itself", service.ErrNotSupported)
	}
	return syslogfile.WriteFile(ctx, d.Tree, d.Layout(s).Log, q, w)
}

func (dialect) Diagnose(context.Context, manage.Spec, service.Status) []manage.Finding { return nil }

// Status implements script.Dialect. kardianos/service says of Upstart only whether a service
// runs or not: to it, all that is between is "not installed". Of AIX it prints what it does
// not know to the standard output, and is not asked.
func (d dialect) Status(ctx context.Context, s manage.Spec, _ string) (service.Status, error) {
	name := s.ServiceName()
	st := service.Status{State: service.Stopped, StartType: service.Automatic, ExitCode: -1}
	if d.system == src {
		out, err := d.Runner()(ctx, "lssrc", "-s", name)
		if err != nil && command.Code(err) <= 0 {
			return st, err
		}
		st.State, st.PID = subsystem(out, name)
		return st, nil
	}
	if strings.Contains("\n"+d.override(name), "\nmanual\n") {
		st.StartType = service.Manual
	}
	k, err := d.open(d.system, d.config(s))
	if err != nil {
		return st, err
	}
	said, err := k.Status()
	switch {
	case err != nil && !errors.Is(err, kardianos.ErrNotInstalled):
		return st, fmt.Errorf("kardianos/service: %w", err)
	case said == kardianos.StatusStopped:
		return st, nil
	}
	out, err := d.Runner()(ctx, "initctl", "status", name)
	if err != nil && command.Code(err) <= 0 {
		return st, err
	}
	st.State, st.PID, st.Detail = job(out, name)
	return st, nil
}

// override returns what the operator has put next to the file.
func (d dialect) override(name string) string {
	text, _, _ := d.Tree.Read("/etc/init/" + name + ".override")
	return text
}

// job reads what initctl says: NAME GOAL/STATE, process PID.
func job(out, name string) (service.State, int, string) {
	line, _, _ := strings.Cut(strings.TrimSpace(out), "\n")
	rest, ok := strings.CutPrefix(line, name+" ")
	if !ok {
		return service.Unknown, 0, line
	}
	what, process, _ := strings.Cut(rest, ", process ")
	pid, _ := strconv.Atoi(strings.TrimSpace(process))
	switch goal, state, _ := strings.Cut(what, "/"); {
	case what == "start/running":
		return service.Running, pid, ""
	case what == "stop/waiting":
		return service.Stopped, 0, ""
	case goal == "start":
		return service.Starting, pid, state
	case goal == "stop":
		return service.Stopping, pid, state
	}
	return service.Unknown, 0, line
}

// subsystem reads what lssrc says: NAME, a group or none, a PID or none, a status.
func subsystem(out, name string) (service.State, int) {
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] != name {
			continue
		}
		pid := 0
		if len(f) > 2 {
			pid, _ = strconv.Atoi(f[len(f)-2])
		}
		switch f[len(f)-1] {
		case "active":
			return service.Running, pid
		case "inoperative":
			return service.Stopped, 0
		case "stopping", "warned":
			return service.Stopping, pid
		}
		return service.Unknown, pid
	}
	return service.Stopped, 0
}

// Command implements script.Dialect. AIX does not keep it in the file.
func (d dialect) Command(text string) (words []string) {
	_, rest, _ := strings.Cut(text, "/usr/bin/env ")
	line, _, _ := strings.Cut(rest, "\n")
	for i, word := range strings.Split(line, `"`) {
		if i%2 == 1 && (len(words) > 0 || !strings.Contains(word, "=")) { // variables come first
			words = append(words, word)
		}
	}
	return words
}
