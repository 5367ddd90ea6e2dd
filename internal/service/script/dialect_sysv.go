package script

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/command"
	"github.com/go-glidepath/glidepath/internal/service/system/shell"
)

// sysv speaks the inits that have scripts and no supervisor: that of System V with its
// runlevels, and rcS of busybox. A service is a script in /etc/init.d, and links to it.
type sysv struct {
	initd
	rcs bool
}

// NewSysV returns the manager of a machine with runlevels: links in /etc/rc2.d and the like.
func NewSysV(m manage.Machine) *Manager { return New(m, sysv{initd{host{m}}, false}) }

// NewRCS returns the manager of a machine where rcS of busybox runs a link.
func NewRCS(m manage.Machine) *Manager { return New(m, sysv{initd{host{m}}, true}) }

// Traits implements Dialect. The script waits for a moment, and knows the exit code.
func (d sysv) Traits() Traits {
	name := "SysV init"
	if d.rcs {
		name = "rcS"
	}
	return Traits{Name: name, Sudo: "sudo", Syslog: true, Watches: true}
}

func (sysv) Replaced(old string, s manage.Spec, account string) ([]string, bool) {
	if !sysvTheirs(old) {
		return nil, false
	}
	k := theirs{sum: 0x199d5cf8, command: "cmd", own: []string{"name", "pid_file", "stdout_log", "stderr_log"}}
	lines := k.lost(old, s, account)
	if s.KeptFile {
		lines = append(lines, s.KeptFileWarning())
	}
	return lines, true
}

// sysvTheirs reports whether a script is one of kardianos/service.
func sysvTheirs(text string) bool {
	return strings.HasPrefix(text, "#!/bin/sh\n# For RedHat and cousins:\n# chkconfig: - 99 01\n# description: ") &&
		strings.Contains(text, "\npid_file=\"/var/run/$name.pid\"\nstdout_log=\"")
}

// Keep implements keeper: the service keeps the file with variables that a script of
// kardianos/service reads, which it replaces or has replaced before.
func (d sysv) Keep(s manage.Spec) manage.Spec {
	l := InitD(s)
	old, _, err := d.Tree.Read(l.File)
	had := sysvTheirs(old) && strings.Contains(old, "\n[ -e /etc/sysconfig/$name ] && . /etc/sysconfig/$name\n")
	if err == nil && s.EnvironmentFile == "" && (had || manage.Marked(old) && strings.Contains(old, "\n# "+manage.Kept+"\n")) {
		s.EnvironmentFile, s.KeptFile = "-/etc/sysconfig/"+l.Name, true
	}
	return s
}

func (d sysv) Render(_ context.Context, s manage.Spec, o Owner) (string, []string, error) {
	return sysvScript(s, o), d.warnings(s), nil
}

// warnings returns what s asks for and such an init lacks.
func (d sysv) warnings(s manage.Spec) []string {
	has := []string{
		"Limits.OpenFiles", "Hardening.Profile LowPorts", "Hardening.Capabilities",
		"Recovery", "Recovery.Delays", "Recovery.CrashOnly",
	}
	if !d.rcs {
		has = append(has, "Dependencies")
	}
	if !d.rcs || s.StartType == service.Disabled {
		has = append(has, "StartType")
	}
	name := d.Traits().Name
	lines := Lacks(name, s, has...)
	if !s.Recovery.Never {
		lines = append(lines, "Recovery: "+name+" supervises nothing; a service that has failed stays down")
	}
	if len(capabilities(s)) > 0 && !s.Root() {
		lines = append(lines, "Hardening: its capabilities need setpriv of util-linux 2.31; without it, it starts without them")
	}
	return lines
}

func (sysv) Command(text string) []string {
	words := shell.After(text, "\nprogram=")
	_, rest, found := strings.Cut(text, `"$program"`)
	if len(words) == 0 || !found {
		return words
	}
	for {
		next, found := strings.CutPrefix(rest, " \\\n\t\t")
		if !found {
			return words
		}
		word := shell.Words(next)
		if len(word) == 0 {
			return nil
		}
		words = append(words, word[0])
		rest = next[len(shell.Quote(word[0])):]
	}
}

func (d sysv) Plan(_ context.Context, p *manage.Plan, stays func(now bool) bool) (any, error) {
	now := d.Registered(p.Spec)
	a := manage.Artefact{Name: d.linksName(), Old: d.describe(now), New: d.wanted(p.Spec, now, p.Installed), Present: len(now) > 0, Wanted: true}
	if d.rcs {
		a.Wanted = manage.ByItself(p.Spec.StartType)
	}
	if stays(linksStart(now)) {
		a.New, a.Wanted = a.Old, a.Present
	}
	p.Artefacts = append(p.Artefacts, a)
	if a.Changed() && !d.rcs {
		p.Calls = append(p.Calls, "update-rc.d, chkconfig or insserv, whichever is there")
	}
	return a, nil
}

func (d sysv) Start(ctx context.Context, s manage.Spec, _ service.Status) error {
	return d.act(ctx, s, "start")
}

func (d sysv) Stop(ctx context.Context, s manage.Spec, _ service.Status) error {
	return d.act(ctx, s, "stop")
}

func (d sysv) Restart(ctx context.Context, s manage.Spec, _ service.Status) error {
	return d.act(ctx, s, "restart")
}

func (d sysv) Reload(ctx context.Context, s manage.Spec, _ string) error {
	return d.act(ctx, s, "reload")
}

// act has the script do something, and makes errors of its exit codes.
func (d sysv) act(ctx context.Context, s manage.Spec, action string) error {
	l := InitD(s)
	text, _, err := d.Tree.Read(l.File)
	if err != nil {
		return err
	}
	_, err = d.Runner()(ctx, l.File, action)
	if !manage.Marked(text) {
		return err
	}
	switch command.Code(err) {
	case 3:
		return errNoReload
	case 4:
		return fs.ErrPermission
	case 7:
		return service.ErrNotRunning
	}
	var e *command.Error
	if !errors.As(err, &e) || strings.TrimSpace(e.Stderr) == "" {
		return err
	}
	if _, how, ended := strings.Cut(e.Stderr, " has ended at once, "); ended { // as its script says
		return fmt.Errorf("%w, %s", manage.ErrEnded, strings.TrimSpace(how))
	}
	return errors.New(strings.Join(strings.Split(strings.TrimSpace(e.Stderr), "\n"), "; "))
}

// Status implements Dialect. It looks at what the script looks at.
func (d sysv) Status(_ context.Context, s manage.Spec, text string) (service.Status, error) {
	st := service.Status{State: service.Stopped, StartType: startOf(text, linksStart(d.Registered(s))), ExitCode: -1}
	written, err := os.ReadFile(d.Tree.Path(pidFile(InitD(s).Name)))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return st, nil
	case err != nil:
		st.State, st.Detail = service.Unknown, err.Error()
		return st, nil
	}
	number, ticks, _ := strings.Cut(strings.TrimSpace(string(written)), "\n")
	pid, _ := strconv.Atoi(number)
	if p, alive := Look(d.Tree, pid); alive && (ticks == "" || ticks == p.Ticks) {
		st.State, st.PID, st.Since = service.Running, pid, p.since(d.Tree)
		return st, nil
	}
	st.State, st.Silent, st.Detail = service.Failed, true, "has ended by itself"
	return st, nil
}

func (d sysv) Diagnose(_ context.Context, s manage.Spec, now service.Status) (found []manage.Finding) {
	if linksStart(d.Registered(s)) || now.StartType == service.Manual || now.StartType == service.Disabled {
		found = append(found, manage.Finding{Level: manage.OK, What: d.linksName(), Detail: "start type " + string(now.StartType)})
	}
	if now.State == service.Failed {
		found = append(found, manage.Finding{Level: manage.Note, What: "process", Detail: "it has ended by itself, and " + d.Traits().Name + " starts nothing again", Remedy: "see syslog, and " + InitD(s).Log})
	}
	return found
}
