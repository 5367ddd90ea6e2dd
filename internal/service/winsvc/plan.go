package winsvc

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/win32"
)

// another is whose a service is that has our executable and not our mark.
const another = "kardianos/service or another tool"

// wanted is what Plan tells Apply.
type wanted struct {
	name      string
	installed bool
	settings  settings
	folders   []string // of the service, those above first
	logon     logon

	ledger     ledger
	keepSource bool // of events, which belongs to another program
}

// logon is how the account logs on.
type logon struct {
	password func() (string, error)
	needed   bool // a password, for the account is new to the service
}

// Plan reads the database of the manager, the registry and the folders. What it may not
// read without being Administrator it takes for what it should be, with a warning.
func (m *Manager) Plan(ctx context.Context, s service.Spec, force bool) (*service.Plan, error) {
	if err := refuse(s); err != nil {
		return nil, err
	}
	if err := m.reserved(s.ServiceName()); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	if _, rest, ok := strings.Cut(s.Executable, "%"); ok && strings.IndexByte(rest, '%') > 0 {
		return nil, fmt.Errorf("%w: Executable is %s: Windows would replace what is between the %% by a variable of that name", service.ErrSpec, s.Executable)
	}
	scm, err := m.connect(managerConnect)
	if err != nil {
		return nil, err
	}
	defer scm.close()

	p := &service.Plan{Spec: s}
	warn := func(format string, args ...any) { p.Warnings = append(p.Warnings, fmt.Sprintf(format, args...)) }
	name := s.ServiceName()
	w, warnings := want(s, m.api.Getenv)
	if !strings.ContainsAny(s.Account, `\@`) && strings.HasSuffix(s.Account, "$") {
		return nil, fmt.Errorf("%w: Account is %s: Windows wants the domain of a managed account, DOMAIN\\%s", service.ErrSpec, s.Account, s.Account)
	}
	if n := len(utf16.Encode([]rune(w.DisplayName))); n > longest {
		return nil, fmt.Errorf("%w: DisplayName has %d letters: Windows allows %d", service.ErrSpec, n, longest)
	}
	have, present, err := scm.look(name, w.Security != "")
	if err != nil {
		return nil, err
	}
	p.Installed = present
	if err := w.fits(s); err != nil {
		return nil, err
	}
	if w.Security != "" {
		text, err := m.api.Canonical(w.Security)
		if err == nil && parse(text).none {
			err = errors.New("it has no entries that say who may do what")
		}
		if err != nil {
			return nil, fmt.Errorf("%w: Windows.SecurityDescriptor is %q: %w", service.ErrSpec, s.Windows.SecurityDescriptor, err)
		}
		w.Security = plain(text)
		for _, text := range parse(text).doubts() {
			warn("Windows.SecurityDescriptor: %s", text)
		}
	}
	w.lacks = have.lacks
	p.Warnings = append(p.Warnings, warnings...)
	if err := m.known(s.Hardening.Capabilities); err != nil {
		return nil, err
	}
	if text := w.late(have); present && text != "" {
		warn("%s", text)
	}
	fresh := !present || !sameAccount(have.Account, w.Account)
	if needs := kindOf(w.Account).needs(w.Account); needs != "" && fresh {
		warn("Account: %s", needs)
	}
	for _, l := range levels {
		switch {
		case !w.lacks[l]:
		case l == levelFailureActions:
			warn("this Windows does not tell the recovery actions of a service (Recovery): they are set again each time")
		default:
			if text := w.lacking(l); text != "" {
				warn("%s", text)
			}
		}
	}

	if present && have.Mark == "" {
		switch {
		case strings.EqualFold(base(executable(have.ImagePath)), base(s.Executable)):
			p.Replaces = another
			warn("service %s was installed by %s, with the command line %s: it is taken over, and what was set there is replaced", name, another, have.ImagePath)
			p.Warnings = append(p.Warnings, have.lost(w)...)
		case !force:
			return nil, fmt.Errorf("service %s, whose command line is %s, %w: remove it with \"sc delete %s\", or give this one another name",
				name, have.ImagePath, service.ErrForeign, name)
		default:
			warn("service %s belonged to another program, with the command line %s: it is replaced", name, have.ImagePath)
		}
	}
	err = m.safe(s.Executable, false)
	switch {
	case errors.Is(err, service.ErrUnsafe) && force:
		warn("%v", err)
	case errors.Is(err, fs.ErrPermission): // only who may install may look
		warn("whether others can replace the executable cannot be seen without being Administrator: %v", err)
	case err != nil:
		return nil, err
	}

	more, err := service.CheckEnvironmentFile(s, "", m.safe, force)
	if err != nil {
		return nil, err
	}
	p.Warnings = append(p.Warnings, more...)

	for i, path := range w.Paths {
		switch _, link, err := m.api.Security(path); {
		case missing(err):
			warn("Hardening.WritablePaths: %s is not there: make it, and install again", path)
			w.Paths[i] = ""
		case link:
			warn("Hardening.WritablePaths: %s is a link, which is not followed: name what it leads to", path)
			w.Paths[i] = ""
		}
	}
	w.Paths = nonempty(w.Paths)

	if present && have.Mark != "" {
		if err := m.stay(p, &w, have, name); err != nil {
			return nil, err
		}
	}
	service0 := service.Artefact{
		Name: fmt.Sprintf("service %q", name), Present: present, Wanted: true, New: w.text(w),
	}
	if present {
		service0.Old = have.text(w)
	}
	source, err := m.source(name)
	if err != nil {
		return nil, err
	}
	ours := have.Mark != "" || p.Replaces != ""
	theirs, err := m.foreignSource(name, ours, force, warn)
	if err != nil {
		return nil, err
	}
	r, err := readLedger(m.api, name)
	if err != nil {
		return nil, err
	}
	folders, below, given, err := m.folders(name, r, have.Mark != "", ours || force, force, warn)
	if err != nil {
		return nil, err
	}
	r.given = append(r.given, given...)
	switch {
	case theirs:
		source.New, source.Wanted = source.Old, source.Present
	case !source.Present:
		r.source = []string{name}
	}
	p.Artefacts = []service.Artefact{folders, service0, source}
	p.Private = wanted{
		name: name, installed: present, settings: w, folders: below, ledger: r, keepSource: theirs,
		logon: logon{s.Password, kindOf(w.Account) == byPassword && fresh},
	}
	return p, nil
}

// known fails for a privilege that this Windows does not have. The service would not start
// with it.
func (m *Manager) known(capabilities []string) error {
	for _, c := range capabilities {
		if !strings.HasPrefix(c, "Se") {
			continue // of another system
		}
		if err := m.api.Privilege(c); err != nil {
			return fmt.Errorf("%w: Hardening.Capabilities has %q: %w", service.ErrSpec, c, err)
		}
	}
	return nil
}

func sameAccount(a, b string) bool { return strings.EqualFold(account(a, ""), account(b, "")) }

func nonempty(list []string) (kept []string) {
	for _, s := range list {
		if s != "" {
			kept = append(kept, s)
		}
	}
	return kept
}

// sourceValues are what makes a source of the Application log.
func sourceValues() []struct {
	name string
	v    value
} {
	return []struct {
		name string
		v    value
	}{
		{"CustomSource", dword(1)},
		{"EventMessageFile", text(regExpand, eventMessages)},
		{"TypesSupported", dword(eventTypes)},
		{markName, text(regString, service.Mark)},
	}
}

// source is the source of events, as it is and as it will be.
func (m *Manager) source(name string) (a service.Artefact, err error) {
	a = service.Artefact{Name: fmt.Sprintf("event source %q", name), Wanted: true}
	for _, wanted := range sourceValues() {
		v, err := m.api.ReadValue(eventKey(name), wanted.name)
		switch {
		case err == nil:
			a.Present = true
			a.Old += wanted.name + ": " + v.words() + "\n"
		case !missing(err):
			return a, denied(`read HKLM\`+eventKey(name), err)
		}
		a.New += wanted.name + ": " + wanted.v.words() + "\n"
	}
	return a, nil
}

func (v value) words() string {
	if v.Kind == regDWord && len(v.Data) == 4 {
		return fmt.Sprintf("%d", uint32(v.Data[0])|uint32(v.Data[1])<<8|uint32(v.Data[2])<<16|uint32(v.Data[3])<<24)
	}
	return strings.Join(v.texts(), ", ")
}

// below are the folders of a service, those above first.
func (m *Manager) below(name string) []string {
	d := dirs.System("windows", name, m.api.Getenv)
	list := []string{d.State[:strings.LastIndexByte(d.State, '\\')]}
	for _, v := range d.Vars() {
		list = append(list, v.Dir)
	}
	return list
}

// folders are those of the service, as they are and as they will be. One that is there
// and belongs to somebody else may be a trap: %ProgramData% lets every user make
// folders, before the service is installed.
//
// Those that are not in r were not made by an installation. They are refused unless taking
// says otherwise, and are in given, with who may use them now, if the service is not marked.
func (m *Manager) folders(name string, r ledger, marked, taking, force bool, warn func(string, ...any)) (a service.Artefact, list, given []string, err error) {
	a = service.Artefact{Name: fmt.Sprintf("folders of %q", name), Wanted: true}
	sid := serviceSID(name)
	names := maps.Clone(groups)
	names[sid] = virtual + name
	list = m.below(name)
	theirs := false
	told := false
	for _, dir := range list {
		wanted := dir + ": " + parse(folderSecurity(sid)).words(names) + "\n"
		a.New += wanted
		sddl, link, err := m.api.Security(dir)
		switch {
		case missing(err):
			continue
		case win32.Number(err) == win32.ErrorAccessDenied:
			a.Present = true
			a.Old += wanted
			warn("%s: only Administrators see who may use it; it is taken to be as it should", dir)
			continue
		case err != nil:
			return a, nil, nil, fmt.Errorf("%s: %w", dir, err)
		case link:
			return a, nil, nil, fmt.Errorf("%s is a link: %w: remove it", dir, service.ErrUnsafe)
		}
		a.Present = true
		d := parse(sddl)
		a.Old += dir + ": " + d.words(names) + "\n"
		foreign := !marked && !slices.Contains(r.own, dir) &&
			!slices.ContainsFunc(r.given, func(g string) bool { return strings.HasPrefix(g, dir+"\t") })
		if foreign {
			given = append(given, dir+"\t"+sddl)
		}
		trusted := d.owner == "BA" || d.owner == "SY" || d.owner == sid
		switch {
		case trusted && foreign && !taking:
			return a, nil, nil, fmt.Errorf("%s exists, and no installation of %s has made it; only the service and Administrators could use it, and it %w: move it away, or give the service another Name",
				dir, name, service.ErrForeign)
		case trusted:
			// It may be of another program with this name, or of this one before it was
			// installed; or somebody has let others in.
			if w := parse(folderSecurity(sid)); d.words(nil) != w.words(nil) && !told {
				told = true
				then := ""
				if foreign {
					then = "; uninstall gives it back as it is now, and --purge does not remove it"
				}
				warn("%s is there already, and will be only for Administrators and the service: look at what is in it, and who else needs it%s", dir, then)
			}
		case force && theirs:
		case force:
			theirs = true // so are, most likely, those below
			warn("%s belonged to %s, who may have left something there", dir, d.owner)
		default:
			return a, nil, nil, fmt.Errorf("%s belongs to %s: %w: move it out of the way, or look at what is in it and install with force", dir, d.owner, service.ErrUnsafe)
		}
	}
	return a, list, given, nil
}
