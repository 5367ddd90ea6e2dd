package systemd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/system/account"
	"github.com/go-glidepath/glidepath/internal/service/system/command"
)

// private is what Apply needs of a plan besides what all plans have.
type private struct {
	spec   service.Spec
	files  []file
	links  []link
	config service.Artefact // the folder of its configuration
	runs   bool
}

// file is a unit file that is made, replaced or removed.
type file struct {
	service.Artefact
	unit     string // its name
	displace bool   // it is a link that goes
}

// link is whether a unit starts by itself.
type link struct {
	unit      string
	had, want bool
	again     bool // its file is another, perhaps with another target
	active    bool // it is a socket, and listens
	stop      bool // its file goes
}

// Plan compares what Render writes with the unit files that are there, and what is
// enabled with what should be.
func (m *Manager) Plan(ctx context.Context, s service.Spec, force bool) (*service.Plan, error) {
	s.User = m.user
	version, err := m.version(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := m.folder()
	if err != nil {
		return nil, err
	}
	s = m.keep(s, dir)
	p := &service.Plan{Spec: s}
	real, err := m.executable(p, s, force)
	if err != nil {
		return nil, err
	}
	if p.Warnings, err = m.variables(p.Warnings, s, force); err != nil {
		return nil, err
	}
	units, warnings, err := Render(s, version, real)
	if err != nil {
		return nil, err
	}
	p.Warnings = append(p.Warnings, warnings...)
	if err := m.lowPorts(s); err != nil {
		return nil, err
	}
	if err := m.order(ctx, s); err != nil {
		return nil, err
	}

	var serv shown
	var sockets []shown
	if which(s) == nil {
		if serv, sockets, err = m.show(ctx, s); err != nil {
			return nil, err
		}
	}
	if err := m.unmasked(s, dir, units); err != nil {
		return nil, err
	}
	todo := private{spec: s, config: m.configuration(s), runs: serv.runs()}
	for i, u := range units {
		f := file{unit: u.Name, Artefact: service.Artefact{Name: path.Join(dir, u.Name), Mode: "0644", New: u.Text, Wanted: true}}
		if err := m.compare(p, s, &f, i == 0, force); err != nil {
			return nil, err
		}
		todo.files = append(todo.files, f)
	}
	if err := m.elsewhere(p, s, dir, serv, force); err != nil {
		return nil, err
	}
	leftovers, err := m.leftovers(s, dir, units)
	if err != nil {
		return nil, err
	}
	todo.files = append(todo.files, leftovers...)
	todo.links = m.linked(s, dir, todo.files, serv, sockets)
	m.stay(p, s, dir, todo.links, serv)
	if err := m.account(ctx, s); err != nil {
		return nil, err
	}
	m.remark(ctx, p, s, dir)
	m.describe(p, todo, dir)
	return p, m.owned(s, dir).Check(p, m.paths(s), force)
}

// executable looks at what is to be run, and returns where links lead.
func (m *Manager) executable(p *service.Plan, s service.Spec, force bool) (real string, err error) {
	tree := m.machine.Tree
	real, err = m.links(tree.Path(s.Executable))
	switch {
	case errors.Is(err, fs.ErrPermission):
		return s.Executable, nil // a plan needs no rights
	case err != nil:
		return "", fmt.Errorf("%w: Executable: %w", service.ErrSpec, err)
	}
	if root := tree.Path("/"); root != "/" {
		real = path.Join("/", strings.TrimPrefix(real, root))
	}
	switch err := m.safe(tree.Path(s.Executable), m.user); {
	case errors.Is(err, service.ErrUnsafe) && force:
		p.Warnings = append(p.Warnings, err.Error())
	case err != nil:
		return "", err
	}
	return real, nil
}

// compare looks at what stands in the place of a unit file.
func (m *Manager) compare(p *service.Plan, s service.Spec, f *file, main, force bool) error {
	tree := m.machine.Tree
	foreign := func(format string, args ...any) error {
		said := fmt.Sprintf(format, args...)
		if force {
			p.Warnings = append(p.Warnings, said+"; it is replaced")
			return nil
		}
		return fmt.Errorf("%s: %w", said, service.ErrForeign)
	}
	f.Present = tree.Exists(f.Name)
	if target := tree.Link(f.Name); target != "" {
		f.displace, f.Old = true, "link to "+target+"\n"
		return foreign("%s is a link to %s", f.Name, target)
	}
	if !f.Present {
		return nil
	}
	if main {
		p.Installed = true
	}
	old, _, err := tree.Read(f.Name)
	if err != nil {
		return m.filed(fmt.Errorf("read what is installed: %w", err))
	}
	f.Old = old
	switch {
	case service.Marked(old):
		if !main && !serves(old, s) {
			return foreign("%s belongs to another service of this kind", f.Name)
		}
	case main && kardianos(old, s.Name):
		p.Replaces = "kardianos/service"
		p.Warnings = append(p.Warnings, lost(old, f.New, s)...)
	default:
		return foreign("%s was not made by this program", f.Name)
	}
	return nil
}

// serves reports whether a socket unit is one of the service's.
func serves(text string, s service.Spec) bool {
	want := "Service=" + s.Name + ".service\n"
	if s.Template {
		want = "Service=" + s.Name + "@%i.service\n"
	}
	return strings.Contains(text, "\n"+want)
}

// kardianos reports whether a unit is what kardianos/service v1.3.0 makes for name, by
// what it writes whatever it is told.
func kardianos(text, name string) bool {
	for _, part := range []string{
		"[Unit]\nDescription=",
		"\nConditionFileIsExecutable=/",
		"\n[Service]\nStartLimitInterval=5\nStartLimitBurst=10\nExecStart=/",
		"\nRestartSec=120\nEnvironmentFile=-/etc/sysconfig/" + name + "\n",
		"\n[Install]\nWantedBy=multi-user.target\n",
	} {
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i:]
	}
	return true
}

// elsewhere looks for a unit of that name that comes with a package, or is generated
// from an init script, which ours would hide.
func (m *Manager) elsewhere(p *service.Plan, s service.Spec, dir string, serv shown, force bool) error {
	found := ""
	for _, other := range m.others() {
		if file := path.Join(other, serviceUnit(s)); m.machine.Tree.Exists(file) {
			found = file
			break
		}
	}
	if at := serv["FragmentPath"]; found == "" && at != "" && path.Dir(at) != dir && serv["LoadState"] != "masked" {
		found = at
		if source := serv["SourcePath"]; source != "" {
			found = source
		}
	}
	if found == "" {
		return nil
	}
	said := fmt.Sprintf("there is a service of this name already, %s", found)
	if !force {
		return fmt.Errorf("%s: %w", said, service.ErrForeign)
	}
	p.Warnings = append(p.Warnings, said+"; this one hides it")
	return nil
}

// leftovers are units of sockets that the service does not have any more.
func (m *Manager) leftovers(s service.Spec, dir string, units []Unit) ([]file, error) {
	names, err := m.socketFiles(s, dir)
	if err != nil {
		return nil, err
	}
	var left []file
	for _, name := range names {
		if slices.ContainsFunc(units, func(u Unit) bool { return u.Name == name }) {
			continue
		}
		old, _, err := m.machine.Tree.Read(path.Join(dir, name))
		if err != nil {
			return nil, m.filed(err)
		}
		left = append(left, file{unit: name, Artefact: service.Artefact{Name: path.Join(dir, name), Mode: "0644", Old: old, Present: true}})
	}
	return left, nil
}

// socketFiles are the names of the socket units of the service that are there.
func (m *Manager) socketFiles(s service.Spec, dir string) ([]string, error) {
	entries, err := os.ReadDir(m.machine.Tree.Path(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, m.filed(err)
	}
	suffix := ".socket"
	if s.Template {
		suffix = "@.socket"
	}
	var names []string
	for _, e := range entries {
		name := e.Name()
		if !e.Type().IsRegular() || !strings.HasPrefix(name, s.Name+"-") || !strings.HasSuffix(name, suffix) {
			continue
		}
		if text, _, err := m.machine.Tree.Read(path.Join(dir, name)); err == nil && service.Marked(text) && serves(text, s) {
			names = append(names, name)
		}
	}
	return names, nil
}

// configuration is the folder of the service's configuration. It is there before the
// first start, and root's: systemd would give one that it makes to the service's account,
// which is to read it and no more.
func (m *Manager) configuration(s service.Spec) service.Artefact {
	if m.user || which(s) != nil {
		return service.Artefact{}
	}
	dir := "/etc/" + s.Name
	if s.Template {
		dir += "/" + s.Instance
	}
	return service.Artefact{Name: dir, Mode: "0755", Present: m.machine.Tree.Exists(dir), Wanted: true}
}

// linked is what is enabled, and what is to be.
func (m *Manager) linked(s service.Spec, dir string, files []file, serv shown, sockets []shown) []link {
	if which(s) != nil {
		return nil // a template starts nothing; its instances do
	}
	var links []link
	for i, f := range files {
		l := link{unit: strings.Replace(f.unit, "@.", "@"+s.Instance+".", 1), again: f.Changed(), stop: !f.Wanted}
		switch {
		case i == 0:
			l.had = serv.enabled()
			l.want = s.Start == service.Automatic || s.Start == service.Delayed
		default:
			l.had = slices.ContainsFunc(sockets, func(k shown) bool { return k["Id"] == l.unit && k.enabled() }) || m.wanted(dir, l.unit)
			l.want = f.Wanted && s.Start == service.OnSocket
			l.active = slices.ContainsFunc(sockets, func(k shown) bool { return k["Id"] == l.unit && k["ActiveState"] == "active" })
		}
		if l.active || l.had || l.want || l.stop {
			links = append(links, l)
		}
	}
	return links
}

// stay leaves enabled, or disabled, what somebody has made so.
func (m *Manager) stay(p *service.Plan, s service.Spec, dir string, links []link, serv shown) {
	now := serv["UnitFileState"] == "enabled-runtime" || slices.ContainsFunc(links, func(l link) bool { return l.had })
	if which(s) != nil || !m.owned(s, dir).Stays(p, now) {
		return
	}
	for i, l := range links {
		links[i].want = l.had && !l.stop
	}
}

// wanted reports whether there is a link that has a target want the unit. systemd does
// not say of units that it has not loaded.
func (m *Manager) wanted(dir, unit string) bool {
	found, err := filepath.Glob(filepath.Join(m.machine.Tree.Path(dir), "*.wants", unit))
	return err == nil && len(found) > 0
}

// systemd gives dynamic users numbers from this range.
const minDynamic, maxDynamic = 61184, 65519

// account fails if the dynamic user of the service would be somebody else's: systemd
// takes a user that exists for the dynamic one of that name, and does not start a
// service for which there is only a group.
func (m *Manager) account(ctx context.Context, s service.Spec) error {
	if m.user || s.Account != "" || s.Name != account.Name(s.Name) && strings.ToLower(s.Name) != account.Name(strings.ToLower(s.Name)) {
		return nil // of a name that cannot be a user's systemd makes another one
	}
	a, exists, err := account.Find(ctx, m.machine, s.Name)
	switch {
	case err != nil:
		return nil // a plan needs no rights
	case exists && a.UID >= minDynamic && a.UID <= maxDynamic && a.Comment == "Dynamic User":
		return nil // the service runs
	case exists:
		return account.Taken("user", s.Name, s.Name)
	case account.HasGroup(m.machine.Tree, s.Name):
		return account.Taken("group", s.Name, s.Name)
	}
	return nil
}

// remark adds what the operator should know besides.
func (m *Manager) remark(ctx context.Context, p *service.Plan, s service.Spec, dir string) {
	warn := func(format string, args ...any) { p.Warnings = append(p.Warnings, fmt.Sprintf(format, args...)) }
	tree := m.machine.Tree
	for _, name := range []string{serviceUnit(s) + ".d", unit(s) + ".d"} {
		if d := path.Join(dir, name); tree.Exists(d) {
			warn("%s stays, and changes what is installed", d)
			break
		}
	}
	if s.Template && len(s.Sockets) > 0 {
		warn("Sockets: every instance of a template listens at the same address, so only one can run")
	}
	if m.user {
		return
	}
	for _, w := range s.Hardening.WritablePaths {
		info, err := os.Stat(tree.Path(w))
		switch {
		case s.Hardening.Profile != service.None && !tree.Exists(w):
			warn("Hardening.WritablePaths: %s does not exist, and without it the service does not start", w)
		case s.Account == "" && err == nil && info.Mode().Perm()&0o002 == 0:
			warn("Hardening.WritablePaths: %s is not for everybody to write to (mode %04o), and so not for a dynamic user; name an Account that may", w, info.Mode().Perm())
		}
	}
	if s.Account != "" && !s.Root() {
		_, err := m.machine.Runner()(ctx, "getent", "passwd", "--", s.Account)
		if command.Code(err) == 2 {
			warn("Account: there is no user %s: make it before you start the service", s.Account)
		}
	}
}

// describe puts into the plan what Apply does.
func (m *Manager) describe(p *service.Plan, t private, dir string) {
	systemctl := m.line()
	for _, f := range t.files {
		p.Artefacts = append(p.Artefacts, f.Artefact)
	}
	if t.config.Wanted {
		p.Artefacts = append(p.Artefacts, t.config)
	}
	p.Calls = append(p.Calls, systemctl+"daemon-reload")
	for _, l := range t.links {
		if l.had || l.want {
			a := service.Artefact{Name: "enabled unit " + l.unit, Present: l.had, Wanted: l.want}
			if l.had {
				a.Old = "enabled\n"
			}
			if l.want {
				a.New = "enabled\n"
			}
			p.Artefacts = append(p.Artefacts, a)
		}
		if verb := l.verb(); verb != "" {
			p.Calls = append(p.Calls, systemctl+verb+" "+l.unit)
		}
		switch {
		case l.stop:
			p.Calls = append(p.Calls, systemctl+"stop "+l.unit)
		case l.active && l.again && !t.runs:
			p.Calls = append(p.Calls, systemctl+"restart "+l.unit)
		}
	}
	p.Private = t
	if which(t.spec) == nil {
		m.owned(t.spec, dir).PlanStart(p)
	}
}

// verb is what has systemctl make the link as it should be.
func (l link) verb() string {
	switch {
	case l.want && l.had && l.again:
		return "reenable" // for another target, perhaps
	case l.want && !l.had:
		return "enable"
	case l.had && !l.want:
		return "disable"
	}
	return ""
}
