package systemd

import (
	"context"
	"path"

	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// changes holds what Apply needs in addition to what every plan has.
type changes struct {
	spec   manage.Spec
	files  []unitFile
	links  []enablement
	config manage.Artefact // the configuration folder
	runs   bool
}

// unitFile is a unit file to create, replace or remove.
type unitFile struct {
	manage.Artefact
	unit   string // its name
	isLink bool   // a link stands there, which is removed
}

// Plan compares the rendered units with the installed ones, and the units that are enabled
// with those that should be.
func (m *Manager) Plan(ctx context.Context, s manage.Spec, force bool) (*manage.Plan, error) {
	s.User = m.user
	version, err := m.version(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := m.unitFolder()
	if err != nil {
		return nil, err
	}
	p := &manage.Plan{Spec: m.keepEnvironmentFile(s, dir)}
	units, err := m.planUnits(ctx, p, version, force)
	if err != nil {
		return nil, err
	}
	todo, err := m.planChanges(ctx, p, units, dir, force)
	if err != nil {
		return nil, err
	}
	if err := m.checkAccount(ctx, p.Spec); err != nil {
		return nil, err
	}
	m.addWarnings(ctx, p, dir)
	m.describe(p, todo, dir)
	return p, m.ownedRecord(p.Spec, dir).Check(p, m.ownedPaths(p.Spec), force)
}

// planUnits renders the units of the service, and checks what they refer to.
func (m *Manager) planUnits(ctx context.Context, p *manage.Plan, version int, force bool) ([]Unit, error) {
	resolved, err := m.checkExecutable(p, force)
	if err != nil {
		return nil, err
	}
	if p.Warnings, err = m.checkEnvironmentFile(p.Warnings, p.Spec, force); err != nil {
		return nil, err
	}
	units, warnings, err := Render(p.Spec, version, resolved)
	if err != nil {
		return nil, err
	}
	p.Warnings = append(p.Warnings, warnings...)
	if err := m.checkLowPorts(p.Spec); err != nil {
		return nil, err
	}
	return units, m.checkOrder(ctx, p.Spec)
}

// planChanges returns what has to change so that the service has these units.
func (m *Manager) planChanges(ctx context.Context, p *manage.Plan, units []Unit, dir string, force bool) (changes, error) {
	s := p.Spec
	var serv properties
	var sockets []properties
	if !bareTemplate(s) {
		var err error
		if serv, sockets, err = m.show(ctx, s); err != nil {
			return changes{}, err
		}
	}
	if err := m.checkMasks(s, dir, units); err != nil {
		return changes{}, err
	}
	todo := changes{spec: s, config: m.configFolder(s), runs: serv.runs()}
	for i, u := range units {
		f := unitFile{unit: u.Name, Artefact: manage.Artefact{Name: path.Join(dir, u.Name), Mode: "0644", New: u.Text, Wanted: true}}
		if err := m.compareFile(p, &f, i == 0, force); err != nil {
			return changes{}, err
		}
		todo.files = append(todo.files, f)
	}
	if err := m.checkElsewhere(p, dir, serv, force); err != nil {
		return changes{}, err
	}
	leftovers, err := m.leftoverSockets(s, dir, units)
	if err != nil {
		return changes{}, err
	}
	todo.files = append(todo.files, leftovers...)
	todo.links = m.planEnabled(s, dir, todo.files, serv, sockets)
	m.keepEnabled(p, dir, todo.links, serv)
	return todo, nil
}

// configFolder returns the configuration folder of the service. It is created before the
// first start and belongs to root: systemd would give a folder that it creates to the
// service's account, which should only read it.
func (m *Manager) configFolder(s manage.Spec) manage.Artefact {
	if m.user || bareTemplate(s) {
		return manage.Artefact{}
	}
	dir := "/etc/" + s.Name
	if s.Template {
		dir += "/" + s.Instance
	}
	return manage.Artefact{Name: dir, Mode: "0755", Present: m.machine.Tree.Exists(dir), Wanted: true}
}

// describe adds to the plan what Apply will do.
func (m *Manager) describe(p *manage.Plan, t changes, dir string) {
	call := func(verb string, units ...string) {
		p.Calls = append(p.Calls, m.commandLine(append([]string{verb}, units...)...))
	}
	for _, f := range t.files {
		p.Artefacts = append(p.Artefacts, f.Artefact)
	}
	if t.config.Wanted {
		p.Artefacts = append(p.Artefacts, t.config)
	}
	call("daemon-reload")
	for _, l := range t.links {
		if l.had || l.want {
			a := manage.Artefact{Name: "enabled unit " + l.unit, Present: l.had, Wanted: l.want}
			if l.had {
				a.Old = "enabled\n"
			}
			if l.want {
				a.New = "enabled\n"
			}
			p.Artefacts = append(p.Artefacts, a)
		}
		if verb := l.verb(); verb != "" {
			call(verb, l.unit)
		}
		switch {
		case l.dropped:
			call("stop", l.unit)
		case l.listens && l.rewritten && !t.runs:
			call("restart", l.unit)
		}
	}
	p.Private = t
	if !bareTemplate(t.spec) {
		m.ownedRecord(t.spec, dir).PlanStart(p)
	}
}
