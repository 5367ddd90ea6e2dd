package script

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/log/syslog"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/records"
	"github.com/go-glidepath/glidepath/internal/service/syslogfile"
)

// script runs a command of the script.
func (d procd) script(ctx context.Context, s manage.Spec, verb string) error {
	return d.run(ctx, d.Tree.Path(d.Layout(s).File), verb)
}

func (d procd) Start(ctx context.Context, s manage.Spec, _ service.Status) error {
	return d.script(ctx, s, "start")
}

// Idle implements idler: procd may be about to start again what does not run.
func (procd) Idle(service.Status) bool { return false }

// Stop implements Dialect. procd is told, and does not say when it is done.
func (d procd) Stop(ctx context.Context, s manage.Spec, _ service.Status) error {
	before, err := d.instance(ctx, s)
	if err != nil {
		return err
	}
	if err := d.script(ctx, s, "stop"); err != nil || !before.Running {
		return err
	}
	bound := time.Duration(before.TermTimeout)*time.Second + margin
	return AwaitStopped(ctx, s.ServiceName(), 100*time.Millisecond, bound, func() (bool, error) {
		i, err := d.instance(ctx, s)
		return !i.Running, err
	})
}

// Reload implements Dialect. Without a reload in the script, rc.common would start it.
func (d procd) Reload(ctx context.Context, s manage.Spec, text string) error {
	if !strings.Contains(text, "\nreload_service()") {
		return errNoReload
	}
	return d.script(ctx, s, "reload")
}

// procdInstance is what procd says of the one process of a service.
type procdInstance struct {
	Running     bool `json:"running"`
	PID         int  `json:"pid"`
	ExitCode    *int `json:"exit_code"`
	TermTimeout int  `json:"term_timeout"`
}

// instance asks procd. A service that it does not know does not run.
func (d procd) instance(ctx context.Context, s manage.Spec) (procdInstance, error) {
	name := s.ServiceName()
	query, err := json.Marshal(map[string]string{"name": name})
	if err != nil {
		return procdInstance{}, err
	}
	out, err := d.Runner()(ctx, "ubus", "call", "service", "list", string(query))
	if err != nil || strings.TrimSpace(out) == "" {
		return procdInstance{}, err
	}
	var said map[string]struct {
		Instances map[string]procdInstance `json:"instances"`
	}
	if err := json.Unmarshal([]byte(out), &said); err != nil {
		return procdInstance{}, fmt.Errorf("read what ubus says of %s: %w", name, err)
	}
	for _, i := range said[name].Instances {
		return i, nil // there is one
	}
	return procdInstance{}, nil
}

// Status implements Dialect. ubus only answers root, which everybody is on these machines.
func (d procd) Status(ctx context.Context, s manage.Spec, _ string) (service.Status, error) {
	st := service.Status{State: service.Stopped, StartType: service.Manual, ExitCode: -1}
	for _, l := range d.Registered(s) {
		switch {
		case strings.HasPrefix(path.Base(l), "S"+strconv.Itoa(procdDelayed)):
			st.StartType = service.Delayed
		case linksStart([]string{l}):
			st.StartType = service.Automatic
		}
	}
	i, err := d.instance(ctx, s)
	switch {
	case err != nil:
	case i.Running:
		p, _ := Look(d.Tree, i.PID)
		st.State, st.PID, st.Since = service.Running, i.PID, p.since(d.Tree)
	case i.ExitCode != nil && *i.ExitCode != 0:
		st.State, st.ExitCode = service.Failed, *i.ExitCode
	}
	return st, err
}

// streamer runs a command and writes what it prints while it runs.
type streamer func(ctx context.Context, stdout, stderr io.Writer, name string, args ...string) error

// Logs implements logger. logd keeps in memory what the service has logged, and what it has
// printed.
func (d procd) Logs(ctx context.Context, s manage.Spec, q manage.LogQuery, w io.Writer) error {
	messages := &syslogfile.Messages{View: records.NewView(q, w)}
	is := procdWriter(s)
	lines := &records.Lines{To: func(line []byte) error {
		if m, by := syslogfile.By(line, is, time.Now()); by {
			return messages.Add(m)
		}
		return nil
	}}
	var complaints strings.Builder
	err := d.stream(ctx, lines, &complaints, "logread")
	if said := strings.TrimSpace(complaints.String()); err == nil && said != "" {
		d.Note("logread: " + said)
	}
	if err == nil {
		err = errors.Join(lines.End(), messages.End(), messages.View.Flush())
	}
	if err == nil && q.Follow {
		err = d.stream(ctx, procdFollowing{lines, messages}, io.Discard, "logread", "-f")
	}
	if q.Follow && ctx.Err() != nil {
		return nil
	}
	return refused(err, "read the log of "+s.ServiceName(), d.Traits().Sudo)
}

// procdFollowing writes what is read at once: the messages of a record come together.
type procdFollowing struct {
	lines    *records.Lines
	messages *syslogfile.Messages
}

func (f procdFollowing) Write(b []byte) (int, error) {
	n, err := f.lines.Write(b)
	return n, errors.Join(err, f.messages.End())
}

// procdWriter reports whether a word before a message is the tag of the service's records,
// or what procd writes before the lines that it prints: the name of the command, of which it
// has 31 characters with the process ID.
func procdWriter(s manage.Spec) func(word string) bool {
	name := path.Base(s.Executable)
	if s.WorkingDirectory != "" {
		name = "sh"
	}
	const room = 20
	tags := []string{syslog.Tag(s.ServiceName()) + "["}
	if len(name) <= room {
		tags = append(tags, name+"[")
	} else {
		tags = append(tags, name[:room])
	}
	return func(word string) bool {
		return slices.ContainsFunc(tags, func(tag string) bool { return strings.HasPrefix(word, tag) })
	}
}

func (procd) Diagnose(_ context.Context, _ manage.Spec, now service.Status) []manage.Finding {
	switch {
	case now.State == service.Failed:
		return []manage.Finding{{Level: manage.Problem, What: "last end", Detail: "exit code " + strconv.Itoa(now.ExitCode), Remedy: "see the log"}}
	case now.StartType == service.Manual:
		return []manage.Finding{{Level: manage.Note, What: "procd", Detail: "it does not start with the machine", Remedy: "install it with another start type if it is to"}}
	}
	return nil
}
