// Package initd is what the managers have in common whose services are scripts in
// /etc/init.d: OpenRC, and the init of System V.
package initd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/system/account"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
	"github.com/go-glidepath/glidepath/internal/service/onefile"
	"github.com/go-glidepath/glidepath/internal/service/system/safe"
	"github.com/go-glidepath/glidepath/internal/service/system/shell"
	"github.com/go-glidepath/glidepath/internal/service/syslogfile"
)

// Layout is where everything of a service is.
type Layout struct {
	Name   string // of the script: an instance is NAME.INSTANCE, as OpenRC has it
	Script string
	Log    string
	Dirs   dirs.Dirs
}

// Of is the layout of a service.
func Of(s service.Spec) Layout {
	name := s.Name
	if s.Template {
		name += "." + s.Instance
	}
	d := dirs.System("linux", s.ServiceName(), os.Getenv)
	return Layout{
		Name:   name,
		Script: "/etc/init.d/" + name,
		Log:    d.Logs + "/" + s.ServiceName() + ".out", // NAME.log is that of daemon/logfile
		Dirs:   d,
	}
}

// Folders are those that outlive a restart of the machine. That for what runs is made
// at every start.
func (l Layout) Folders() []onefile.Folder {
	all := onefile.Folders(l.Dirs)
	kept := all[:0]
	for _, f := range all {
		if f.Path != l.Dirs.Runtime {
			kept = append(kept, f)
		}
	}
	return kept
}

// Owned are the folders that belong to the service.
func (l Layout) Owned() []string {
	return []string{l.Dirs.State, l.Dirs.Cache, l.Dirs.Logs, l.Dirs.Runtime}
}

// Owner is who the service runs as.
type Owner struct {
	Name, Group string
	UID, GID    int
	Missing     bool // it has no account yet; install makes it
}

// Machine is a machine with what tests put into its place.
type Machine struct {
	service.Machine
	Safe  func(file string, user bool) error // nil is safe.Executable
	Chown onefile.Chown                      // nil is os.Lchown
}

// Owner finds out who a service runs as.
func (m Machine) Owner(ctx context.Context, s service.Spec) (Owner, error) {
	if s.Root() {
		return Owner{Name: "root", Group: "root"}, nil
	}
	name := s.Account
	if name == "" {
		name = account.Name(s.ServiceName())
	}
	a, exists, err := account.Of(ctx, m.Machine, s)
	switch {
	case err != nil:
		return Owner{}, err
	case exists:
		return Owner{Name: a.Name, Group: a.Group, UID: a.UID, GID: a.GID}, nil
	case s.Account != "":
		return Owner{}, fmt.Errorf("%w: there is no account %s: make it first, or leave Account empty for one of its own", service.ErrSpec, name)
	}
	return Owner{Name: name, Group: name, Missing: true}, nil
}

// Begin begins a plan: it refuses what cannot be installed, and compares the script,
// the account and the folders with what is there.
func (m Machine) Begin(ctx context.Context, s service.Spec, o Owner, script onefile.File, force bool) (*service.Plan, error) {
	p := &service.Plan{Spec: s}
	check := m.Safe
	if check == nil {
		check = safe.Executable
	}
	if err := onefile.CheckExecutable(p, m.Tree, check, force); err != nil {
		return nil, err
	}
	if o.UID != 0 || o.Missing {
		if at := m.barred(s.Executable); at != "" {
			p.Warnings = append(p.Warnings, fmt.Sprintf("Account: %s may not enter %s, and so not run the executable; put it into /usr/local/bin, for one", o.Name, at))
		}
	}
	if s.Account == "" {
		text := fmt.Sprintf("a system account of its own, without a shell; home %s\n", Of(s).Dirs.State)
		a := service.Artefact{Name: "account " + o.Name, New: text, Wanted: true, Present: !o.Missing}
		if a.Present {
			a.Old = text
		}
		p.Artefacts = append(p.Artefacts, a)
	}
	onefile.PlanFolders(p, m.Tree, Of(s).Folders())
	if err := script.Compare(p, m.Tree, force); err != nil {
		return nil, err
	}
	if err := m.Belongings(s).Check(p, force); err != nil {
		return nil, err
	}
	return p, nil
}

// Supported refuses what none of these managers has.
func Supported(s service.Spec, manager string) error {
	switch {
	case s.User:
		return fmt.Errorf("%w: %s has no services of users; install it as a service of the machine", service.ErrNotSupported, manager)
	case s.Template && s.Instance == "":
		return fmt.Errorf("%w: %s is a template, and %s knows only instances of it: say which (--instance)", service.ErrSpec, s.Name, manager)
	}
	return nil
}

// barred returns the first folder above file that not everybody may enter, "" if there
// is none. Who owns it, and its group, are beside the point for an account that nobody
// else knows.
func (m Machine) barred(file string) string {
	var above []string
	for p := path.Dir(file); p != "/" && p != "."; p = path.Dir(p) {
		above = append([]string{p}, above...)
	}
	for _, p := range above {
		if info, err := os.Stat(m.Tree.Path(p)); err == nil && info.Mode().Perm()&0o001 == 0 {
			return p
		}
	}
	return ""
}

// Apply makes the account, the folders and the files, and has the manager register
// them. If anything fails, nothing is left.
func (m Machine) Apply(ctx context.Context, p *service.Plan, script onefile.File, register func(c *files.Change) error) (err error) {
	s := p.Spec
	c := m.Tree.Begin(s.ServiceName())
	defer func() {
		if err != nil {
			err = onefile.Refused(errors.Join(err, c.Undo()), "install "+s.ServiceName())
		}
	}()
	// What anybody may not write comes first: who lacks the rights hears so at once.
	c.Sweep(path.Dir(script.Path))
	old, exists, err := m.Tree.Read(script.Path)
	if err != nil || !exists || old != script.Text {
		if err := c.Write(script.Path, script.Text, script.Mode); err != nil {
			return err
		}
	}
	owner, err := m.Owner(ctx, s)
	if err != nil {
		return err
	}
	if owner.Missing {
		a, made, err := account.Ensure(ctx, m.Machine, s.ServiceName(), Of(s).Dirs.State)
		if made {
			c.Call(func() error {
				_, err := account.Remove(context.WithoutCancel(ctx), m.Machine, s.ServiceName())
				return err
			})
		}
		if err != nil {
			return err
		}
		owner = Owner{Name: a.Name, Group: a.Group, UID: a.UID, GID: a.GID}
	}
	if err := m.Belongings(s).Write(c, p); err != nil {
		return err
	}
	if err := onefile.Make(c, m.Tree, Of(s).Folders(), onefile.Owner{UID: owner.UID, GID: owner.GID}, m.Chown); err != nil {
		return err
	}
	if err := register(c); err != nil {
		return err
	}
	if err := m.Belongings(s).SetStart(c, s.Start); err != nil {
		return err
	}
	return c.Keep()
}

// Belongings are the folders of a service.
func (m Machine) Belongings(s service.Spec) onefile.Belongings {
	return onefile.Belong(m.Tree, s, Of(s).Dirs, onefile.Folders(Of(s).Dirs))
}

// Purge removes what belongs to the service, and its account.
func (m Machine) Purge(ctx context.Context, s service.Spec, b onefile.Belongings) (removed []string, err error) {
	return onefile.PurgeAll(ctx, m.Machine, s, b)
}

// Installed returns the script of a service, and ErrNotInstalled if there is none.
func (m Machine) Installed(s service.Spec) (text string, err error) {
	l := Of(s)
	text, exists, err := m.Tree.Read(l.Script)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "", fmt.Errorf("%w to read %s: run it as root (sudo)", service.ErrPermission, l.Script)
	case err != nil:
		return "", err
	case !exists:
		return "", fmt.Errorf("%s: %w", l.Name, service.ErrNotInstalled)
	}
	return text, nil
}

// Logs writes what the service has logged to w: its records in syslog, and its output.
func (m Machine) Logs(ctx context.Context, s service.Spec, q service.LogQuery, w io.Writer) error {
	if _, err := m.Installed(s); err != nil {
		return err
	}
	return syslogfile.Log{Machine: m.Machine, Name: s.ServiceName(), File: Of(s).Log}.Write(ctx, q, w)
}

// startMark begins the line of a script that says when it is started. It is for Status.
const startMark = "# Start: "

// StartLine is that line.
func StartLine(s service.Spec) string { return startMark + string(s.Start) + "\n" }

// StartOf is when a script is started: as it says, if that agrees with what the manager
// has registered.
func StartOf(script string, registered bool) service.Start {
	_, after, _ := strings.Cut(script, "\n"+startMark)
	said, _, _ := strings.Cut(after, "\n")
	switch start := service.Start(said); start {
	case service.Automatic, service.Delayed, service.OnSocket:
		if registered {
			return start
		}
		return service.Manual
	case service.Manual, service.Disabled:
		if !registered {
			return start
		}
	}
	if registered {
		return service.Automatic
	}
	return service.Manual
}

// Launches returns the executable that a script names after mark.
func (m Machine) Launches(s service.Spec, mark string) (string, error) {
	text, _, err := m.Tree.Read(Of(s).Script)
	if words := shell.After(text, mark); len(words) > 0 {
		return words[0], nil
	}
	return "", err
}

// Confined says who a service runs as.
func (m Machine) Confined(ctx context.Context, s service.Spec) service.Confinement {
	o, err := m.Owner(ctx, s)
	if err != nil || o.Missing {
		return service.Confinement{}
	}
	return service.Confinement{Account: o.Name}
}
