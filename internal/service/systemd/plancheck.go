package systemd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/account"
	"github.com/go-glidepath/glidepath/internal/service/system/command"
)

// checkExecutable checks the executable, and returns its path with links followed.
func (m *Manager) checkExecutable(p *manage.Plan, force bool) (resolved string, err error) {
	s, tree := p.Spec, m.machine.Tree
	resolved, err = m.resolve(s.Executable)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return s.Executable, nil // a plan needs no rights
	case err != nil:
		return "", fmt.Errorf("%w: Executable: %w", manage.ErrConfig, err)
	}
	switch err := m.safe(tree.Path(s.Executable), m.user); {
	case errors.Is(err, service.ErrUnsafe) && force:
		p.Warnings = append(p.Warnings, err.Error())
	case err != nil:
		return "", err
	}
	return resolved, nil
}

// resolve returns the path of file with links followed.
func (m *Manager) resolve(file string) (string, error) {
	tree := m.machine.Tree
	resolved, err := m.links(tree.Path(file))
	if root := tree.Path("/"); root != "/" && err == nil {
		resolved = path.Join("/", strings.TrimPrefix(resolved, root))
	}
	return resolved, err
}

// systemd takes the numbers of dynamic users from this range.
const minDynamic, maxDynamic = 61184, 65519

// checkAccount returns an error if the name of the service's dynamic user is taken. systemd
// uses an existing user of that name instead of a dynamic one, and does not start the service
// if only a group of that name exists.
func (m *Manager) checkAccount(ctx context.Context, s manage.Spec) error {
	if m.user || s.Account != "" || s.Name != account.Name(s.Name) && strings.ToLower(s.Name) != account.Name(strings.ToLower(s.Name)) {
		return nil // systemd derives another name from one that a user cannot have
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

// addWarnings adds what else the operator should know.
func (m *Manager) addWarnings(ctx context.Context, p *manage.Plan, dir string) {
	s := p.Spec
	warn := func(format string, args ...any) { p.Warnings = append(p.Warnings, fmt.Sprintf(format, args...)) }
	tree := m.machine.Tree
	for _, name := range []string{serviceUnit(s) + ".d", unitName(s) + ".d"} {
		if d := path.Join(dir, name); tree.Exists(d) {
			warn("%s stays and changes the installed unit", d)
			break
		}
	}
	if s.Template && len(s.Sockets) > 0 {
		warn("Sockets: every instance of a template listens on the same address, so only one can run")
	}
	if m.user {
		return
	}
	for _, w := range s.Hardening.WritablePaths {
		info, err := os.Stat(tree.Path(w))
		switch {
		case s.Hardening.Profile != service.Unconfined && !tree.Exists(w):
			warn("Hardening.WritablePaths: %s does not exist, and the service does not start without it", w)
		case s.Account == "" && err == nil && info.Mode().Perm()&0o002 == 0:
			warn("Hardening.WritablePaths: %s is not writable for everyone (mode %04o), and so not for a dynamic user; set an Account that may write to it", w, info.Mode().Perm())
		}
	}
	if s.Account != "" && !s.Root() {
		_, err := m.machine.Runner()(ctx, "getent", "passwd", "--", s.Account)
		if command.Code(err) == 2 {
			warn("Account: there is no user %s; create it before you start the service", s.Account)
		}
	}
}
