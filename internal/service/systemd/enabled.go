package systemd

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// enablement says whether a unit starts automatically now, and whether it should.
type enablement struct {
	unit      string
	had, want bool
	rewritten bool // its file changes
	moved     bool // its [Install] section changes, or it was not ours: perhaps its target changes
	listens   bool // it is a socket that listens
	dropped   bool // its file is removed
}

// planEnabled returns which units are enabled and which should be.
func (m *Manager) planEnabled(s manage.Spec, dir string, files []unitFile, serv properties, sockets []properties) []enablement {
	if bareTemplate(s) {
		return nil // a template starts nothing; its instances do
	}
	var links []enablement
	for i, f := range files {
		l := enablement{unit: strings.Replace(f.unit, "@.", "@"+s.Instance+".", 1), rewritten: f.Changed(), moved: f.Changed() && (!manage.Marked(f.Old) || installLines(f.Old) != installLines(f.New)), dropped: !f.Wanted}
		switch {
		case i == 0:
			l.had = serv.enabled()
			l.want = s.StartType == service.Automatic || s.StartType == service.Delayed
		default:
			l.had = slices.ContainsFunc(sockets, func(k properties) bool { return k["Id"] == l.unit && k.enabled() }) || m.hasWantsLink(dir, l.unit)
			l.want = f.Wanted && s.StartType == service.OnSocket
			l.listens = slices.ContainsFunc(sockets, func(k properties) bool { return k["Id"] == l.unit && k["ActiveState"] == "active" })
		}
		if l.listens || l.had || l.want || l.dropped {
			links = append(links, l)
		}
	}
	return links
}

// keepEnabled keeps units enabled, or disabled, if somebody has changed that since the last
// install.
func (m *Manager) keepEnabled(p *manage.Plan, dir string, links []enablement, serv properties) {
	s := p.Spec
	if serv["UnitFileState"] == runtimeEnabled && len(links) > 0 && links[0].want && p.Installed && p.Replaces == "" && !s.Enable {
		links[0].want = false
		p.Notes = append(p.Notes, "it stays enabled until the next boot only, as somebody has left it (systemctl enable --runtime); --enable enables it permanently")
		return
	}
	now := serv["UnitFileState"] == runtimeEnabled || slices.ContainsFunc(links, func(l enablement) bool { return l.had })
	if bareTemplate(s) || !m.ownedRecord(s, dir).Stays(p, now) {
		return
	}
	for i, l := range links {
		links[i].want = l.had && !l.dropped
	}
}

// runtimeEnabled is the UnitFileState of a unit that is enabled until the next boot.
const runtimeEnabled = "enabled-runtime"

// installLines returns the lines of the [Install] section of a unit file.
func installLines(text string) string {
	_, section, _ := strings.Cut("\n"+text, "\n[Install]\n")
	section, _, _ = strings.Cut(section, "\n[")
	return strings.TrimSpace(section)
}

// hasWantsLink reports whether a link in dir makes a target want the unit. systemd does not
// tell this about units that it has not loaded.
func (m *Manager) hasWantsLink(dir, unit string) bool {
	found, err := filepath.Glob(filepath.Join(m.machine.Tree.Path(dir), "*.wants", unit))
	return err == nil && len(found) > 0
}

// verb returns the systemctl command that makes the unit as it should be, or "".
func (l enablement) verb() string {
	switch {
	case l.want && l.had && l.moved:
		return "reenable" // otherwise the links stay where an operator has put them
	case l.want && !l.had:
		return "enable"
	case l.had && !l.want:
		return "disable"
	}
	return ""
}
