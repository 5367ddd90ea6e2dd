package winsvc

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// another names who installed a service that has our executable but not our mark.
const another = "kardianos/service or another tool"

// wanted is what Plan passes to Apply.
type wanted struct {
	name      string
	installed bool
	settings  settings
	folders   []string // of the service, parents first
	logon     logon

	ledger     ledger
	keepSource bool // the event source belongs to another program
}

// logon tells how the account logs on.
type logon struct {
	password func() (string, error)
	needed   bool // the account is new to the service and has a password
}

// Plan reads the database of the manager, the registry and the folders. What only an
// administrator may read is taken to be as it should be, with a warning.
func (m *Manager) Plan(ctx context.Context, s manage.Spec, force bool) (*manage.Plan, error) {
	if err := m.checkSpec(s); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	scm, err := m.connect(managerConnect)
	if err != nil {
		return nil, err
	}
	defer scm.close()
	p := &planner{session: scm, manager: m, force: force, name: s.ServiceName(), plan: &manage.Plan{Spec: s}}
	for _, step := range []func() error{
		p.readService, p.checkSecurity, p.checkSettings, p.checkOwner,
		p.checkExecutable, p.checkWritablePaths, p.keepStart, p.addArtefacts,
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	p.plan.Private = wanted{
		name: p.name, installed: p.present, settings: p.want, folders: p.folders, ledger: p.ledger, keepSource: p.keepSource,
		logon: logon{s.Password, kindOf(p.want.Account) == byPassword && p.newAccount()},
	}
	return p.plan, nil
}

// checkSpec returns an error for a specification that Windows cannot install. It looks at
// nothing that belongs to the service.
func (m *Manager) checkSpec(s manage.Spec) error {
	if err := refuse(s); err != nil {
		return err
	}
	if err := m.reserved(s.ServiceName()); err != nil {
		return err
	}
	if _, rest, ok := strings.Cut(s.Executable, "%"); ok && strings.IndexByte(rest, '%') > 0 {
		return fmt.Errorf("%w: Executable is %s: Windows would replace the part between the %% signs with the variable of that name", manage.ErrConfig, s.Executable)
	}
	return nil
}

// planner collects what Plan finds out. Its methods are the steps of Plan, in this order.
type planner struct {
	*session
	manager *Manager
	force   bool
	name    string
	plan    *manage.Plan

	want, have settings
	ignored    []string // warnings about settings that Windows does not have
	present    bool     // the service is installed
	ledger     ledger
	folders    []string
	keepSource bool
}

func (p *planner) warn(format string, args ...any) {
	p.plan.Warnings = append(p.plan.Warnings, fmt.Sprintf(format, args...))
}

// readService determines what the service is to be, and reads what it is now.
func (p *planner) readService() (err error) {
	s := p.plan.Spec
	p.want, p.ignored = want(s, p.Getenv), unsupported(s)
	if !strings.ContainsAny(s.Account, `\@`) && strings.HasSuffix(s.Account, "$") {
		return fmt.Errorf("%w: Account is %s: a managed account must include its domain: DOMAIN\\%s", manage.ErrConfig, s.Account, s.Account)
	}
	if n := lengthUTF16(p.want.DisplayName); n > longest {
		return fmt.Errorf("%w: DisplayName has %d characters: Windows allows %d", manage.ErrConfig, n, longest)
	}
	p.have, p.present, err = p.inspect(p.name, p.want.Security != "")
	if err != nil {
		return err
	}
	p.plan.Installed = p.present
	p.want.lacks = p.have.lacks
	return p.want.fits(s)
}

// checkSecurity checks the descriptor of the service, if the specification has one.
func (p *planner) checkSecurity() error {
	if p.want.Security == "" {
		return nil
	}
	text, err := p.Canonical(p.want.Security)
	if err == nil && parse(text).none {
		err = errors.New("it has no DACL (D:…), which says who may do what")
	}
	if err != nil {
		return fmt.Errorf("%w: Windows.SecurityDescriptor is %q: %w", manage.ErrConfig, p.plan.Spec.Windows.SecurityDescriptor, err)
	}
	p.want.Security = plain(text)
	for _, text := range parse(text).doubts() {
		p.warn("Windows.SecurityDescriptor: %s", text)
	}
	return nil
}

// checkSettings warns of settings that do not take effect, or not at once.
func (p *planner) checkSettings() error {
	p.plan.Warnings = append(p.plan.Warnings, p.ignored...)
	if err := p.checkPrivileges(); err != nil {
		return err
	}
	if text := p.want.late(p.have); p.present && text != "" {
		p.warn("%s", text)
	}
	if needs := kindOf(p.want.Account).needs(p.want.Account); needs != "" && p.newAccount() {
		p.warn("Account: %s", needs)
	}
	for _, l := range levels {
		switch {
		case !p.want.lacks[l]:
		case l == levelFailureActions:
			p.warn("this version of Windows does not tell the recovery actions of a service (Recovery): they are set again by each installation")
		default:
			if text := p.want.lacking(l); text != "" {
				p.warn("%s", text)
			}
		}
	}
	return nil
}

// checkPrivileges returns an error for a privilege that this version of Windows does not
// have. The service would not start with it.
func (p *planner) checkPrivileges() error {
	for _, c := range p.plan.Spec.Hardening.Capabilities {
		if !strings.HasPrefix(c, "Se") {
			continue // of another system
		}
		if err := p.Privilege(c); err != nil {
			return fmt.Errorf("%w: Hardening.Capabilities has %q: %w", manage.ErrConfig, c, err)
		}
	}
	return nil
}

// newAccount reports whether the service does not run as the wanted account yet.
func (p *planner) newAccount() bool {
	return !p.present || !sameAccount(p.have.Account, p.want.Account)
}

// sameAccount reports whether a and b name the same account.
func sameAccount(a, b string) bool { return strings.EqualFold(account(a, ""), account(b, "")) }

// checkOwner decides about a service of this name that was not installed by this package: it
// takes over one that runs the same program, and refuses any other, unless it is forced.
func (p *planner) checkOwner() error {
	line := p.have.ImagePath
	switch {
	case !p.present || p.have.Mark != "":
	case strings.EqualFold(base(executable(line)), base(p.plan.Spec.Executable)):
		p.plan.Replaces = another
		p.warn("service %s was installed by %s, with the command line %s: it is taken over, and its settings are replaced", p.name, another, line)
		p.plan.Warnings = append(p.plan.Warnings, p.have.lost(p.want)...)
	case p.force:
		p.warn("service %s belonged to another program, with the command line %s: it is replaced", p.name, line)
	default:
		return fmt.Errorf("service %s, whose command line is %s, %w: remove it with \"sc delete %s\", or choose another name",
			p.name, line, service.ErrForeign, p.name)
	}
	return nil
}

// checkExecutable checks that no other user can replace the executable or the file with the
// environment.
func (p *planner) checkExecutable() error {
	err := p.manager.safe(p.plan.Spec.Executable, false)
	switch {
	case errors.Is(err, service.ErrUnsafe) && p.force:
		p.warn("%v", err)
	case errors.Is(err, fs.ErrPermission):
		p.warn("checking who can replace the executable needs administrator rights: %v", err)
	case err != nil:
		return err
	}
	warnings, err := manage.CheckEnvironmentFile(p.plan.Spec, "", p.manager.safe, p.force)
	p.plan.Warnings = append(p.plan.Warnings, warnings...)
	return err
}

// checkWritablePaths leaves out paths that cannot be granted, with a warning.
func (p *planner) checkWritablePaths() error {
	p.want.Paths = slices.DeleteFunc(p.want.Paths, func(path string) bool {
		_, link, err := p.Security(path)
		switch {
		case missing(err):
			p.warn("Hardening.WritablePaths: %s does not exist: create it and install again", path)
		case link:
			p.warn("Hardening.WritablePaths: %s is a link, which is not followed: use the path that it points to", path)
		default:
			return false
		}
		return true
	})
	return nil
}

// addArtefacts adds the folders, the service and the event source to the plan.
func (p *planner) addArtefacts() error {
	svc := manage.Artefact{Name: fmt.Sprintf("service %q", p.name), Present: p.present, Wanted: true, New: p.want.text(p.want)}
	if p.present {
		svc.Old = p.have.text(p.want)
	}
	source, err := p.manager.source(p.name)
	if err != nil {
		return err
	}
	if p.keepSource, err = p.foreignSource(); err != nil {
		return err
	}
	if p.ledger, err = readLedger(p.api, p.name); err != nil {
		return err
	}
	folders, err := p.planFolders()
	if err != nil {
		return err
	}
	switch {
	case p.keepSource:
		source.New, source.Wanted = source.Old, source.Present
	case !source.Present:
		p.ledger.source = []string{p.name}
	}
	p.plan.Artefacts = []manage.Artefact{folders, svc, source}
	return nil
}

// ours reports whether the service, if it is installed, is this program's.
func (p *planner) ours() bool { return p.have.Mark != "" || p.plan.Replaces != "" }
