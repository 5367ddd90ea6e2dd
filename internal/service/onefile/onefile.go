// Package onefile is what the managers have in common whose services consist of one
// file, some folders, and what the manager is told of them.
package onefile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/envfile"
	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
	"github.com/go-glidepath/glidepath/internal/service/system/shell"
)

// File is the file, or another that goes with it.
type File struct {
	Path string
	Mode fs.FileMode
	Text string
	// Theirs reports whether a file that is not ours is one of kardianos/service.
	Theirs func(text string) bool
	// Lost are warnings about what such a file has and the new one has not; nil if there are
	// none.
	Lost func(text string) []string
}

// Folder is a folder of the service. One that is there already is left as it is.
type Folder struct {
	Path string
	Mode fs.FileMode
	Root bool // it belongs to root, with the account's group
}

// Folders are those of d. What the operator writes is not the service's to change.
func Folders(d dirs.Dirs) []Folder {
	return []Folder{
		{d.State, 0o700, false},
		{d.Cache, 0o700, false},
		{d.Logs, 0o700, false},
		{d.Runtime, 0o700, false},
		{d.Configuration, 0o750, true},
	}
}

// Syslog has a program log to the syslog of the host, where syslogd runs.
func Syslog() service.Var { return service.Var{Name: "LOG_TARGET", Value: "syslog"} }

// Environment is what the service finds in its environment: what the program wants,
// its folders, which instance it is, and what the manager wants unless the program wants
// something else.
func Environment(s service.Spec, d dirs.Dirs, wants ...service.Var) []service.Var {
	all := map[string]string{}
	for _, v := range wants {
		all[v.Name] = v.Value
	}
	for name, value := range s.Environment {
		all[name] = value
	}
	for _, v := range d.Vars() {
		all[v.Name] = v.Dir
	}
	if s.Template {
		all["SERVICE_INSTANCE"] = s.Instance
	}
	if s.EnvironmentFile != "" {
		all[envfile.Variable] = s.EnvironmentFile // the run reads it
	}
	return service.Vars(all)
}

// Compare puts the file into the plan. It fails if the file belongs to somebody else,
// unless force makes a warning of that.
func (f File) Compare(p *service.Plan, tree files.Tree, force bool) error {
	old, exists, err := tree.Read(f.Path)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w to read %s: run it as root (sudo)", service.ErrPermission, f.Path)
	case err != nil && exists:
		return fmt.Errorf("%w: %w; remove it first", service.ErrForeign, err)
	case err != nil:
		return fmt.Errorf("look at what is installed: %w", err)
	}
	p.Artefacts = append(p.Artefacts, service.Artefact{
		Name: f.Path, Mode: fmt.Sprintf("%04o", f.Mode.Perm()), Old: old, New: f.Text, Present: exists, Wanted: true,
	})
	p.Installed = p.Installed || exists
	switch {
	case !exists || service.Marked(old):
	case f.Theirs != nil && f.Theirs(old):
		p.Replaces = "kardianos/service"
		if f.Lost != nil {
			p.Warnings = append(p.Warnings, f.Lost(old)...)
		}
	case force:
		p.Warnings = append(p.Warnings, fmt.Sprintf("%s %s: it is replaced", f.Path, service.ErrForeign))
	default:
		return fmt.Errorf("%s %w: remove it, choose another name, or insist (--force)", f.Path, service.ErrForeign)
	}
	return nil
}

// Removable says why the file is not to be removed: there is none, or it belongs to
// somebody else.
func (f File) Removable(tree files.Tree, doing string) error {
	text, exists, err := tree.Read(f.Path)
	switch {
	case err != nil:
		return Refused(err, doing)
	case !exists:
		return fmt.Errorf("%s: %w", doing, service.ErrNotInstalled)
	case !service.Marked(text) && (f.Theirs == nil || !f.Theirs(text)):
		return fmt.Errorf("%s: %s %w; remove it by hand", doing, f.Path, service.ErrForeign)
	}
	return nil
}

// CheckExecutable fails if the executable, or the EnvironmentFile, is not safe, unless
// force makes a warning of that.
func CheckExecutable(p *service.Plan, tree files.Tree, safe func(file string, user bool) error, force bool) error {
	err := safe(tree.Path(p.Spec.Executable), p.Spec.User)
	switch {
	case force && errors.Is(err, service.ErrUnsafe):
		p.Warnings = append(p.Warnings, err.Error())
	case err != nil:
		return err
	}
	warnings, err := service.CheckEnvironmentFile(p.Spec, tree, safe, force)
	p.Warnings = append(p.Warnings, warnings...)
	return err
}

// PlanFolders puts folders into the plan.
func PlanFolders(p *service.Plan, tree files.Tree, folders []Folder) {
	for _, f := range folders {
		p.Artefacts = append(p.Artefacts, service.Artefact{
			Name: f.Path + "/", Mode: fmt.Sprintf("%04o", f.Mode.Perm()), Present: tree.Exists(f.Path), Wanted: true,
		})
	}
}

// Strangers are warnings about the service's own folders that belong to another account
// than the service has now: a service has got another one, and install gives away nothing
// that is there.
func Strangers(tree files.Tree, folders []Folder, account string, uid int) []string {
	var lines []string
	for _, f := range folders {
		if has, ok := files.Owner(tree.Path(f.Path)); ok && !f.Root && has != uid {
			lines = append(lines, fmt.Sprintf("Account: %s belongs to the user with ID %d, and %s cannot write there; with the service stopped: %s",
				f.Path, has, account, shell.Join("chown", "-Rh", account, f.Path)))
		}
	}
	return lines
}

// Owner is who a folder belongs to.
type Owner struct{ UID, GID int }

// Chown gives a path to an owner; nil is files.Give for a folder, os.Lchown for a file.
type Chown func(path string, uid, gid int) error

// Make makes the folders that are missing. It leaves those alone that are there.
func Make(c *files.Change, tree files.Tree, folders []Folder, o Owner, chown Chown) error {
	for _, f := range folders {
		c.Sweep(path.Dir(f.Path))
		if tree.Exists(f.Path) {
			continue
		}
		uid := o.UID
		if f.Root {
			uid = 0
		}
		give := chown
		if give == nil {
			give = files.Give
		}
		err := c.MkdirFor(f.Path, f.Mode, func(folder string) error {
			if err := give(folder, uid, o.GID); err != nil {
				return fmt.Errorf("give %s to the user with ID %d: %w", f.Path, uid, err)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Give gives the file at p to o.
func Give(tree files.Tree, p string, o Owner, chown Chown) error {
	if chown == nil {
		chown = os.Lchown
	}
	if err := chown(tree.Path(p), o.UID, o.GID); err != nil {
		return fmt.Errorf("give %s to the user with ID %d: %w", p, o.UID, err)
	}
	return nil
}

// Install has apply make a service, and undoes what it has done if it fails.
func Install(tree files.Tree, name string, apply func(c *files.Change) error) error {
	c := tree.Begin(name)
	if err := apply(c); err != nil {
		return Refused(errors.Join(err, c.Undo()), "install "+name)
	}
	return c.Keep()
}

// Refused makes an error of missing rights one that says what to do. Others stay as
// they are.
func Refused(err error, doing string) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, service.ErrPermission) {
		return err
	}
	said := strings.ToLower(err.Error())
	if errors.Is(err, fs.ErrPermission) || strings.Contains(said, "permission denied") || strings.Contains(said, "not permitted") ||
		strings.Contains(said, "not privileged") || strings.Contains(said, "must be root") {
		return fmt.Errorf("%s: %w: run it as root (sudo); %w", doing, service.ErrPermission, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// ErrLate is that a state did not come in time.
var ErrLate = errors.New("it takes too long")

// Await asks is until it says true, an error comes, or bound has passed: that is
// ErrLate.
func Await(ctx context.Context, every, bound time.Duration, is func() (bool, error)) error {
	late := time.NewTimer(bound)
	defer late.Stop()
	for {
		if ok, err := is(); ok || err != nil {
			return err
		}
		tick := time.NewTimer(every)
		select {
		case <-tick.C:
		case <-late.C:
			tick.Stop()
			return ErrLate
		case <-ctx.Done():
			tick.Stop()
			return context.Cause(ctx)
		}
	}
}

// Supervised waits until the service runs, and has gone on doing so for a moment: these
// managers have no readiness, and a program that ends at once has run, too. One that has
// ended with exit code 0 has finished; where that is not known, the error is
// service.ErrEnded. status is asked for the state.
func Supervised(ctx context.Context, m service.Machine, name string, status func() (service.Status, error)) error {
	const (
		bound = 30 * time.Second
		stays = time.Second
		every = 100 * time.Millisecond
	)
	m.Waiting(name + " starts")
	pid, since := 0, time.Time{}
	var last service.Status
	err := Await(ctx, every, bound, func() (bool, error) {
		var err error
		if last, err = status(); err != nil {
			return false, err
		}
		switch {
		case last.State == service.NotInstalled:
			return false, fmt.Errorf("start %s: %w", name, service.ErrNotInstalled)
		case last.State == service.Failed:
			return false, Ended(name, last)
		case last.State == service.Stopped && last.ExitCode == 0:
			return true, nil
		case last.State != service.Running:
			if pid != 0 && last.PID == 0 && last.State != service.Stopping {
				return false, fmt.Errorf("%s: %w; see its log", name, service.ErrEnded)
			}
			return false, nil
		case last.PID != pid && pid != 0:
			return false, fmt.Errorf("%s: %w, and was started again; see its log", name, service.ErrEnded)
		case pid == 0:
			pid, since = last.PID, time.Now()
		}
		return time.Since(since) >= stays, nil
	})
	if errors.Is(err, ErrLate) && last.State == service.Stopped {
		return fmt.Errorf("%s: %w, or does not start at all; see its log", name, service.ErrEnded)
	}
	if errors.Is(err, ErrLate) {
		return fmt.Errorf("%s does not start: after %s it is still %s; see its log", name, bound, last.State)
	}
	return err
}

// Restart stops a service of m and starts it.
func Restart(ctx context.Context, m service.Manager, s service.Spec) error {
	if err := Halt(ctx, m, s); err != nil {
		return err
	}
	return m.Start(ctx, s)
}

// Halt stops a service of m as a step of something else. When ctx ends meanwhile the error
// is service.ErrAsked as well: the service stops all the same.
func Halt(ctx context.Context, m service.Manager, s service.Spec) error {
	return Asked(ctx, m.Stop(ctx, s))
}

// Asked adds service.ErrAsked to the error of what was to stop a service, if ctx has ended.
func Asked(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	return fmt.Errorf("%w, and is not waited for: %w", service.ErrAsked, err)
}

// Reloadable is the status of a service of m that runs. It fails for one that does not.
func Reloadable(ctx context.Context, m service.Manager, s service.Spec) (service.Status, error) {
	st, err := m.Status(ctx, s)
	switch {
	case err != nil:
		return st, err
	case st.State == service.NotInstalled:
		return st, fmt.Errorf("reload %s: %w", s.ServiceName(), service.ErrNotInstalled)
	case st.State != service.Running:
		return st, fmt.Errorf("reload %s: %w", s.ServiceName(), service.ErrNotRunning)
	}
	return st, nil
}

// Ended is the error of a service that has failed.
func Ended(name string, s service.Status) error {
	detail := ""
	if s.Detail != "" {
		detail = " (" + s.Detail + ")"
	}
	switch {
	case s.Silent:
		return fmt.Errorf("%s does not run: %w%s; see its log", name, service.ErrEnded, detail)
	case s.ExitCode >= 0:
		return fmt.Errorf("%s does not run: it has ended with exit code %d%s; see its log", name, s.ExitCode, detail)
	}
	return fmt.Errorf("%s does not run: it has failed%s; see its log", name, detail)
}

// ByHand reports whether a service is not to start with the machine.
func ByHand(s service.Spec) bool { return s.Start == service.Manual || s.Start == service.Disabled }

// Seconds is d in whole seconds, at least least.
func Seconds(d time.Duration, least int) int {
	return max(least, int((d+time.Second-1)/time.Second))
}

// Margin is what a manager waits beyond the program's own budget before it kills: the
// program gives up by itself one second after it.
const Margin = 5 * time.Second

// StopBudget is how long the manager lets the service stop.
func StopBudget(s service.Spec) time.Duration { return s.StopTimeout + Margin }

// NoPause is what managers say that know no pause.
func NoPause(manager string) error {
	return fmt.Errorf("%w: %s cannot pause a service; stop it", service.ErrNotSupported, manager)
}
