package script

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
)

// launchd speaks launchd of macOS, for daemons of the machine and agents of users: a service
// is a property list.
//
// It does not rely on what launchd does not say in its manual: kickstart -k does not say how
// it ends a process, so a restart is a stop that waits and a start. After bootout a job
// drains, and bootstrap fails until it has; whoever has to wait, waits here.
//
// What a service logs goes to its standard output, and from there to a file in /Library/Logs
// (~/Library/Logs for an agent), which the Console shows. macOS still listens at
// /var/run/syslog, but since 12 nothing that programs without libSystem send there gets into
// its log (golang/go#59229), and only libSystem can write to the log itself, which needs cgo.
//
// A service that is not to start with the machine is disabled in launchd, which counts when
// it is loaded the next time: start enables it, loads it, and disables it again.
type launchd struct {
	host
	user       bool
	uid        int
	home, temp string
	getenv     func(string) string
}

// NewLaunchd returns the manager of daemons of a machine with launchd, or of agents of the
// user who runs this process.
func NewLaunchd(m manage.Machine, user bool) *Manager {
	home, _ := os.UserHomeDir()
	return newLaunchd(launchd{host{m}, user, os.Getuid(), home, os.TempDir(), os.Getenv})
}

func newLaunchd(d launchd) *Manager {
	manager := New(d.Machine, d)
	manager.UID, manager.Lookup = d.uid, lookupUser
	return manager
}

func (d launchd) Traits() Traits {
	return Traits{
		Name: "launchd", Sudo: "sudo", Otherwise: "install it for yourself alone (--user)",
		MakeAccount: "sysadminctl -addUser _NAME -roleAccount", User: d.user,
	}
}

// Layout implements Dialect. The log is not in a folder of the service, whose account could
// put a link in its place and have launchd write through it. /var/run is empty after each
// start of the machine, and nobody makes a folder there before the service starts.
func (d launchd) Layout(s manage.Spec) Layout {
	name, library := s.ServiceName(), "/Library"
	l := Layout{Name: name, Mode: 0o644, File: "/Library/LaunchDaemons/" + name + ".plist", Dirs: dirs.System("darwin", name, d.getenv)}
	if d.user {
		library = d.home + "/Library"
		l.File = library + "/LaunchAgents/" + name + ".plist"
		l.Dirs = dirs.User("darwin", name, d.home, d.temp, d.getenv)
	}
	l.Log = library + "/Logs/" + name + ".log"
	l.Logs = []string{l.Log}
	l.Dirs.Runtime = l.Dirs.State + "/runtime"
	return l
}

// nobody runs a daemon that names no account: macOS has no accounts that come and go with a
// service, and nobody has no rights.
const nobody = "nobody"

func (d launchd) Account(manage.Spec) (string, bool) {
	if d.user {
		return "", false
	}
	return nobody, false
}

func (d launchd) Check(s manage.Spec) error {
	switch {
	case d.user && d.uid == 0:
		return fmt.Errorf("%w: root has no agents; run it as the user whose service it is, without sudo", service.ErrNotSupported)
	case d.user && d.home == "":
		return fmt.Errorf("%w: your home directory is not known: set HOME", service.ErrNotSupported)
	}
	return checkXML(s)
}

// Replaced implements Dialect. It knows the property lists of kardianos/service v1.3.0 by
// their first keys, and by one that hardly anybody else writes.
func (d launchd) Replaced(old string, s manage.Spec, account string) ([]string, bool) {
	if !strings.Contains(old, "<dict>\n\t<key>Disabled</key>\n\t<false/>\n") || !strings.Contains(old, "\t<key>SessionCreate</key>\n") {
		return nil, false
	}
	return launchdLost(old, s, account), true
}

func (d launchd) Render(_ context.Context, s manage.Spec, o Owner) (string, []string, error) {
	lines := Lacks("launchd", s, "Recovery", "Recovery.CrashOnly", "Limits.OpenFiles", "Hardening.Profile LowPorts")
	switch {
	case s.Recovery.Never:
	case s.Recovery.CrashOnly:
		lines = append(lines, "Recovery.CrashOnly: launchd takes only an end by a signal for a crash; a panic of Go, which is exit code 2, leaves it stopped")
	default:
		lines = append(lines, "Recovery: launchd restarts it for ever also after exit code 78 (wrong configuration)")
	}
	return launchdPlist(s, o.Name, d.Layout(s)), lines, nil
}

func (launchd) Registered(manage.Spec) []string { return nil }

// Plan implements Dialect. A service that somebody has enabled does not start by itself if
// its file does not say so, too: only one that is disabled stays as it is.
func (d launchd) Plan(ctx context.Context, p *manage.Plan, stays func(now bool) bool) (any, error) {
	enable := manage.ByItself(p.Spec.StartType)
	if p.Installed {
		disabled, err := d.disabled(ctx, d.domain(ctx), p.Spec.ServiceName())
		if err != nil {
			return nil, err
		}
		if disabled && stays(false) {
			enable = false
		}
	}
	domain := "system"
	if d.user {
		domain = "gui/" + strconv.Itoa(d.uid) // which of the two it is, only asking would tell
	}
	p.Calls = append(p.Calls, "launchctl "+enabling(enable)+" "+domain+"/"+p.Spec.ServiceName())
	return enable, nil
}

// Prepare implements preparer. It makes the log.
func (d launchd) Prepare(_ context.Context, c *files.Change, p *manage.Plan, give func(string) error, _ any) error {
	log := d.Layout(p.Spec).Log
	if d.Tree.Exists(log) {
		return nil
	}
	if err := c.Write(log, "", 0o600); err != nil {
		return err
	}
	return give(log)
}

func (d launchd) Register(ctx context.Context, c *files.Change, p *manage.Plan, todo any) error {
	domain, name := d.domain(ctx), p.Spec.ServiceName()
	disabled, err := d.disabled(ctx, domain, name)
	if err != nil {
		return err
	}
	c.Call(func() error { return d.enable(context.WithoutCancel(ctx), domain, name, !disabled) })
	return d.enable(ctx, domain, name, todo.(bool))
}

// Unregister implements Dialect. What launchd remembers of a name that is gone would count
// for the next service of that name.
func (d launchd) Unregister(ctx context.Context, c *files.Change, s manage.Spec) ([]string, error) {
	if err := c.Remove(d.Layout(s).File); err != nil {
		return nil, err
	}
	removed := slices.Clone(c.Done)
	return removed, d.enable(ctx, d.domain(ctx), s.ServiceName(), true)
}

func (d launchd) Loaded(ctx context.Context, s manage.Spec) (bool, error) {
	j, err := d.print(ctx, d.domain(ctx), s.ServiceName())
	return j.loaded, err
}

func (d launchd) Start(ctx context.Context, s manage.Spec, _ service.Status) error {
	file := d.Layout(s).File
	text, exists, err := d.Tree.Read(file)
	if err == nil && !exists {
		err = fs.ErrNotExist
	}
	if err != nil {
		return err
	}
	return d.load(ctx, d.domain(ctx), s.ServiceName(), file, text)
}

const notLoaded = "not loaded"

// Idle implements idler: a job that is loaded may start again.
func (launchd) Idle(now service.Status) bool { return now.Detail == notLoaded }

// Stop implements Dialect. The job is unloaded, or launchd would restart it; it is loaded
// again with the machine, or by Start.
func (d launchd) Stop(ctx context.Context, s manage.Spec, _ service.Status) error {
	text, _, err := d.Tree.Read(d.Layout(s).File)
	if err != nil {
		return err
	}
	return d.bootout(ctx, d.domain(ctx), s.ServiceName(), text)
}

func (d launchd) Reload(ctx context.Context, s manage.Spec, _ string) error {
	_, err := d.launchctl(ctx, "kill", "SIGHUP", d.domain(ctx)+"/"+s.ServiceName())
	return err
}

func (d launchd) Status(ctx context.Context, s manage.Spec, text string) (service.Status, error) {
	st := service.Status{ExitCode: -1}
	domain := d.domain(ctx)
	j, err := d.print(ctx, domain, s.ServiceName())
	if err != nil {
		return st, err
	}
	if text != "" {
		st.StartType = service.Automatic
		disabled, err := d.disabled(ctx, domain, s.ServiceName())
		if err != nil {
			return st, err
		}
		if disabled || strings.Contains(text, "<key>RunAtLoad</key>\n\t<false/>") {
			st.StartType = service.Manual
		}
	}
	st.State, st.Detail = j.describe()
	st.PID, st.ExitCode, st.Restarts = j.pid, j.code, max(0, j.runs-1)
	if j.pid != 0 {
		st.Since = d.since(ctx, j.pid)
	}
	return st, nil
}

// since returns when a process began, zero if ps does not say.
func (d launchd) since(ctx context.Context, pid int) time.Time {
	out, _ := d.Runner()(ctx, "ps", "-o", "etime=", "-p", strconv.Itoa(pid))
	return sinceElapsed(out)
}

func (d launchd) Diagnose(ctx context.Context, s manage.Spec, _ service.Status) (found []manage.Finding) {
	add := func(level manage.Level, what, detail, remedy string) {
		found = append(found, manage.Finding{Level: level, What: what, Detail: detail, Remedy: remedy})
	}
	domain, name, seeLog := d.domain(ctx), s.ServiceName(), "see the log, "+d.Layout(s).Log
	j, err := d.print(ctx, domain, name)
	disabled, failed := d.disabled(ctx, domain, name)
	switch {
	case errors.Join(err, failed) != nil:
		add(manage.Problem, "launchd", errors.Join(err, failed).Error(), "")
	case j.loaded:
		add(manage.OK, "launchd", fmt.Sprintf("%s/%s is loaded: %s", domain, name, j.state), "")
	case disabled:
		add(manage.Note, "launchd", "it is disabled, and not started with the machine", "start it, or install it with another start type")
	default:
		add(manage.Note, "launchd", "it is not loaded", "start it")
	}
	switch {
	case j.signal != "":
		add(manage.Warning, "last end", "a signal: "+j.signal, seeLog)
	case j.code == 78:
		add(manage.Problem, "last end", "exit code 78: the configuration is wrong, or launchd could not run the executable at all (privacy settings, a folder that does not exist)", seeLog)
	case j.code > 0:
		add(manage.Warning, "last end", "exit code "+strconv.Itoa(j.code), seeLog)
	}
	return found
}
