// Package kardianos is the only one that knows kardianos/service. It hands over to it
// where this project has no templates of its own: Upstart on Linux, and the system
// resource controller (SRC) of AIX.
//
// What kardianos/service would write without quoting is refused before anything
// happens, and what its templates do not carry is a warning. It knows no update, leaves
// behind what it has begun when it fails, and loses what the tools say; that is made up
// for here.
package kardianos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"

	kardianos "github.com/kardianos/service"

	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/system/account"
	"github.com/go-glidepath/glidepath/internal/service/onefile"
	"github.com/go-glidepath/glidepath/internal/service/system/safe"
)

// What kardianos/service calls Upstart, and the controller of AIX.
const (
	upstart = "linux-upstart"
	src     = "aix-ssrc"
)

// control is what is used of a service of kardianos/service.
type control interface {
	Install() error
	Start() error
	Stop() error
	Status() (kardianos.Status, error)
}

// Manager is the service.Manager of Upstart and of AIX.
type Manager struct {
	m      service.Machine
	system string // upstart or src
	uid    int
	open   func(system string, c *kardianos.Config) (control, error)
	safe   func(file string, user bool) error
	chown  onefile.Chown
}

// New returns the manager of services of the machine m: of Upstart, or of AIX in a
// program for AIX.
func New(m service.Machine) *Manager {
	system := upstart
	if runtime.GOOS == "aix" {
		system = src
	}
	return &Manager{m: m, system: system, uid: os.Geteuid(), open: open, safe: safe.Executable}
}

// open asks kardianos/service for a service of one of its systems, whichever it has
// chosen itself.
func open(system string, c *kardianos.Config) (control, error) {
	for _, s := range kardianos.AvailableSystems() {
		if s.String() == system {
			return s.New(nil, c) // the program is needed by Run alone
		}
	}
	return nil, fmt.Errorf("%w: kardianos/service has no %s on %s", service.ErrNotSupported, system, runtime.GOOS)
}

// Name implements service.Manager.
func (m *Manager) Name() string {
	if m.system == src {
		return "AIX SRC"
	}
	return "Upstart"
}

// paths are what Install makes: the file first, and links to it.
func (m *Manager) paths(name string) []string {
	if m.system != src {
		return []string{"/etc/init/" + name + ".conf"}
	}
	all := []string{"/etc/rc.d/init.d/" + name}
	rc := "/etc/rc"
	if m.m.Tree.Exists("/etc/rc.d/rc2.d") {
		rc = "/etc/rc.d/rc"
	}
	for _, level := range []string{"2", "3"} {
		all = append(all, rc+level+".d/S50"+name, rc+level+".d/K02"+name)
	}
	return all
}

func (m *Manager) file(name string) string { return m.paths(name)[0] }

// folders are those of the service. Nobody makes one in /run before the service starts.
func folders(name string) dirs.Dirs {
	d := dirs.System("linux", name, os.Getenv)
	d.Runtime = d.State + "/runtime"
	return d
}

func (m *Manager) account(s service.Spec) string {
	return onefile.User(s, account.Name(s.ServiceName()))
}

// settings stands before the hash of what a file was made from: kardianos/service does
// not say what it would write.
const settings = "Settings "

// theirs knows the files of kardianos/service v1.3.0. On AIX nothing of ours is in
// them, so that those of ours and of others are the same.
func (m *Manager) theirs(name string) func(text string) bool {
	if m.system == src {
		return func(text string) bool {
			return strings.HasPrefix(text, "#!/bin/ksh\ncase \"$1\" in\nstart)\n") && strings.Contains(text, "startsrc -s "+name+"\n")
		}
	}
	return func(text string) bool {
		return strings.Contains(text, "\nrespawn limit 10 5\numask 022\n") && strings.Contains(text, "if [ -f \"/etc/sysconfig/"+name+"\" ]; then")
	}
}

// Plan implements service.Manager.
func (m *Manager) Plan(ctx context.Context, s service.Spec, force bool) (*service.Plan, error) {
	if err := m.legal(s); err != nil {
		return nil, err
	}
	p := &service.Plan{Spec: s}
	if err := onefile.CheckExecutable(p, m.m.Tree, m.safe, force); err != nil {
		return nil, err
	}
	name := s.ServiceName()
	c := m.config(s)
	f := onefile.File{Path: m.file(name), Mode: 0o644, Text: m.listing(c), Theirs: m.theirs(name), Lost: func(old string) []string { return m.replaced(old, s) }}
	if m.system == src {
		f.Mode = 0o755
	}
	if err := f.Compare(p, m.m.Tree, force); err != nil {
		return nil, err
	}
	if a := &p.Artefacts[0]; a.Present && strings.Contains(a.Old, settings+hash(c)+"\n") {
		a.Old = a.New
	}
	if err := m.belongings(s).Check(p, force); err != nil {
		return nil, err
	}
	onefile.PlanFolders(p, m.m.Tree, onefile.Folders(folders(name)))
	if m.system == src {
		p.Calls = []string{"kardianos/service runs mkssys -s " + name + " -p " + c.Executable + " -a '" + strings.Join(c.Arguments, " ") + "'"}
		if p.Installed {
			p.Calls = append([]string{"rmssys -s " + name}, p.Calls...)
		}
	} else if a, exists, err := account.Of(ctx, m.m, s); errors.Is(err, service.ErrSpec) {
		return nil, err
	} else if err == nil && exists {
		p.Warnings = append(p.Warnings, onefile.Strangers(m.m.Tree, onefile.Folders(folders(name)), m.account(s), a.UID)...)
	} else if err == nil && s.Account == "" {
		p.Calls = append(p.Calls, "useradd "+m.account(s))
	}
	p.Calls = append(p.Calls, "kardianos/service writes "+f.Path)
	p.Warnings = append(p.Warnings, m.lacks(s)...)
	return p, nil
}
