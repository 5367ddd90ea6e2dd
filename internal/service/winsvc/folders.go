package winsvc

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/win32"
)

// below returns the folders of a service, parents first.
func (m *Manager) below(name string) []string {
	d := dirs.System("windows", name, m.api.Getenv)
	list := []string{d.State[:strings.LastIndexByte(d.State, '\\')]}
	for _, v := range d.Vars() {
		list = append(list, v.Dir)
	}
	return list
}

// planFolders plans the folders of the service, and checks those that exist.
func (p *planner) planFolders() (a manage.Artefact, err error) {
	a = manage.Artefact{Name: fmt.Sprintf("folders of %q", p.name), Wanted: true}
	sid := serviceSID(p.name)
	names := maps.Clone(groups)
	names[sid] = virtual + p.name
	p.folders = p.manager.below(p.name)
	check := folderCheck{planner: p, sid: sid}
	for _, dir := range p.folders {
		wanted := dir + ": " + parse(folderSecurity(sid)).words(names) + "\n"
		a.New += wanted
		sddl, link, err := p.Security(dir)
		switch {
		case missing(err):
			continue
		case win32.Number(err) == win32.ErrorAccessDenied:
			a.Present = true
			a.Old += wanted
			p.warn("%s: only administrators can see who may use it; it is assumed to be correct", dir)
			continue
		case err != nil:
			return a, fmt.Errorf("%s: %w", dir, err)
		case link:
			return a, fmt.Errorf("%s is a link: %w: remove it", dir, service.ErrUnsafe)
		}
		a.Present = true
		a.Old += dir + ": " + parse(sddl).words(names) + "\n"
		if err := check.existing(dir, sddl); err != nil {
			return a, err
		}
	}
	return a, nil
}

// folderCheck checks folders that existed before the installation. Each may be a trap,
// because every user can make folders in %ProgramData% before the service is installed.
type folderCheck struct {
	*planner
	sid    string
	theirs bool // a folder of somebody else was accepted, so those in it are too
	told   bool // the warning about a change of rights was given
}

// existing checks one folder. A folder that no installation has made is recorded with its
// descriptor, so that uninstall can restore it.
func (c *folderCheck) existing(dir, sddl string) error {
	d := parse(sddl)
	foreign := c.have.Mark == "" && !slices.Contains(c.ledger.own, dir) &&
		!slices.ContainsFunc(c.ledger.given, func(g string) bool { return strings.HasPrefix(g, dir+"\t") })
	if foreign {
		c.ledger.given = append(c.ledger.given, dir+"\t"+sddl)
	}
	trusted := d.owner == "BA" || d.owner == "SY" || d.owner == c.sid
	switch {
	case trusted && foreign && !c.ours() && !c.force:
		return fmt.Errorf("%s exists, but was not created by an installation of %s; only the service and administrators could use it, and it %w: move it away, or give the service another Name",
			dir, c.name, service.ErrForeign)
	case trusted:
		c.warnOfChange(dir, d, foreign)
	case c.force && c.theirs:
	case c.force:
		c.theirs = true
		c.warn("%s belonged to %s, who may have left files in it", dir, d.owner)
	default:
		return fmt.Errorf("%s belongs to %s: %w: move it away, or check what is in it and install with force", dir, d.owner, service.ErrUnsafe)
	}
	return nil
}

// warnOfChange warns, once, that others lose the right to use a folder. It may belong to
// another program of this name, or to this one before it was installed, or somebody has let
// others in.
func (c *folderCheck) warnOfChange(dir string, d dacl, foreign bool) {
	if wanted := parse(folderSecurity(c.sid)); c.told || d.words(nil) == wanted.words(nil) {
		return
	}
	c.told = true
	then := ""
	if foreign {
		then = "; uninstall restores it as it is now, and --purge does not remove it"
	}
	c.warn("%s already exists; from now on, only administrators and the service can use it: check what is in it, and who else needs it%s", dir, then)
}
