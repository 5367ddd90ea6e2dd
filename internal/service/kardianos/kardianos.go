// Package kardianos is the only one that imports kardianos/service. It uses it where this
// project has no templates of its own: Upstart on Linux, and the system resource controller
// (SRC) of AIX.
//
// What kardianos/service would write without quotes is refused before anything happens, and
// what its templates do not carry is a warning. It has no update, leaves what it has begun
// when it fails, and loses what the tools print; this package makes up for that.
package kardianos

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"

	kardianos "github.com/kardianos/service"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/script"
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

// dialect speaks the language of Upstart and of AIX.
type dialect struct {
	manage.Machine
	system string // upstart or src
	open   func(system string, c *kardianos.Config) (control, error)
}

// New returns the manager of services of the machine m: of Upstart, or of AIX in a program
// for AIX.
func New(m manage.Machine) *script.Manager {
	system := upstart
	if runtime.GOOS == "aix" {
		system = src
	}
	return script.New(m, dialect{m, system, open})
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

func (d dialect) Traits() script.Traits { return script.Traits{Name: d.name(), Sudo: "sudo"} }

func (d dialect) name() string {
	if d.system == src {
		return "AIX SRC"
	}
	return "Upstart"
}

func (d dialect) Layout(s manage.Spec) script.Layout {
	name := s.ServiceName()
	l := script.Layout{Name: name, File: d.paths(name)[0], Mode: 0o644, Dirs: folders(name), Home: "/nonexistent"}
	l.Log = l.Dirs.Logs + "/" + name + ".err"
	if d.system == src {
		l.Mode = 0o755
	}
	return l
}

// paths returns what Install makes: the file first, and links to it.
func (d dialect) paths(name string) []string {
	if d.system != src {
		return []string{"/etc/init/" + name + ".conf"}
	}
	all := []string{"/etc/rc.d/init.d/" + name}
	rc := "/etc/rc"
	if d.Tree.Exists("/etc/rc.d/rc2.d") {
		rc = "/etc/rc.d/rc"
	}
	for _, level := range []string{"2", "3"} {
		all = append(all, rc+level+".d/S50"+name, rc+level+".d/K02"+name)
	}
	return all
}

// folders returns those of a service. Nobody makes one in /run before the service starts.
func folders(name string) dirs.Dirs {
	d := dirs.System("linux", name, os.Getenv)
	d.Runtime = d.State + "/runtime"
	return d
}

// settings stands before the hash of what a file was made from: kardianos/service does
// not say what it would write.
const settings = "Settings "

// Replaced implements script.Dialect. It knows the files of kardianos/service v1.3.0. On AIX
// nothing of ours is in them, so ours and those of others are the same.
func (d dialect) Replaced(old string, s manage.Spec, account string) ([]string, bool) {
	name := s.ServiceName()
	if d.system == src {
		return nil, strings.HasPrefix(old, "#!/bin/ksh\ncase \"$1\" in\nstart)\n") && strings.Contains(old, "startsrc -s "+name+"\n")
	}
	if !strings.Contains(old, "\nrespawn limit 10 5\numask 022\n") || !strings.Contains(old, "if [ -f \"/etc/sysconfig/"+name+"\" ]; then") {
		return nil, false
	}
	return lost(old, s, account), true
}

// Render implements script.Dialect. The file is what kardianos/service writes; the text says
// from what.
func (d dialect) Render(_ context.Context, s manage.Spec, o script.Owner) (string, []string, error) {
	return d.listing(d.config(s)), d.lacks(s), nil
}

func (d dialect) Same(old string, s manage.Spec) bool {
	return strings.Contains(old, settings+hash(d.config(s))+"\n")
}

func (d dialect) Check(s manage.Spec) error         { return d.legal(s) }
func (d dialect) Registered(s manage.Spec) []string { return d.paths(s.ServiceName())[1:] }
