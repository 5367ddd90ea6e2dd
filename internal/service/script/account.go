package script

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path"
	"slices"
	"strconv"

	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/account"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
)

// Owner is the account that a service runs as.
type Owner struct {
	Name, Group string // "" for a service of a user
	UID, GID    int
	Missing     bool // install makes it
}

// accountName returns the account of s, and whether install makes it.
func (m *Manager) accountName(s manage.Spec) (name string, own bool) {
	switch {
	case s.Root() && !m.User:
		return "root", false
	case s.Account != "":
		return s.Account, false
	}
	if d, ok := m.dialect.(accounter); ok {
		return d.Account(s)
	}
	return account.Name(s.ServiceName()), true
}

// findAccount returns the account of s, and whether there is one.
func (m *Manager) findAccount(ctx context.Context, s manage.Spec) (o Owner, exists bool, err error) {
	name, own := m.accountName(s)
	switch {
	case m.User:
		return Owner{UID: m.UID, GID: os.Getgid()}, true, nil
	case name == "root" && !own:
		return Owner{Name: name, Group: name}, true, nil
	}
	var a account.Account
	if own {
		a, exists, err = account.Own(ctx, m.machine, s.ServiceName())
	} else {
		a, exists, err = m.Lookup(ctx, name)
	}
	if err != nil || !exists {
		return Owner{Name: name, Group: name, Missing: own}, false, err
	}
	return Owner{Name: a.Name, Group: a.Group, UID: a.UID, GID: a.GID}, true, nil
}

// account returns the account of s. It fails if there is none and install makes none.
func (m *Manager) account(ctx context.Context, s manage.Spec) (Owner, error) {
	o, exists, err := m.findAccount(ctx, s)
	if err == nil && !exists && !o.Missing {
		err = fmt.Errorf("%w: there is no account %s: make it first, or leave Account empty", manage.ErrConfig, o.Name)
	}
	return o, err
}

// ensureAccount returns the account of s, and makes it if that is missing.
func (m *Manager) ensureAccount(ctx context.Context, c *files.Change, s manage.Spec) (Owner, error) {
	o, err := m.account(ctx, s)
	if err != nil || !o.Missing {
		return o, err
	}
	a, made, err := account.Ensure(ctx, m.machine, s.ServiceName(), m.dialect.Layout(s).Home)
	if made {
		c.Call(func() error {
			_, err := account.Remove(context.WithoutCancel(ctx), m.machine, s.ServiceName())
			return err
		})
	}
	return Owner{Name: a.Name, Group: a.Group, UID: a.UID, GID: a.GID}, err
}

// planAccount adds to p the account that install makes, and warns if it cannot run the
// executable.
func (m *Manager) planAccount(p *manage.Plan, o Owner) {
	if at := m.barred(p.Spec.Executable, o); at != "" {
		p.Warnings = append(p.Warnings, fmt.Sprintf("Account: %s may not enter %s and so cannot run the executable; %s", o.Name, at, moveExecutable))
	}
	if _, own := m.accountName(p.Spec); !own {
		return
	}
	text := fmt.Sprintf("a system account of its own, without a shell; home %s\n", m.dialect.Layout(p.Spec).Home)
	a := manage.Artefact{Name: "account " + o.Name, New: text, Wanted: true, Present: !o.Missing}
	if a.Present {
		a.Old = text
	}
	p.Artefacts = append(p.Artefacts, a)
}

const moveExecutable = "move the executable, for example to /usr/local/bin"

// warnOfAccount adds warnings to p about the folders that o cannot write to, and about an
// account that several services have.
func (m *Manager) warnOfAccount(p *manage.Plan, o Owner) {
	if m.User {
		return
	}
	if !o.Missing { // each start gives some folders to the account
		given := m.dialect.Layout(p.Spec).Given
		kept := slices.DeleteFunc(m.made(p.Spec), func(f folder) bool { return slices.Contains(given, f.path) })
		p.Warnings = append(p.Warnings, strangers(m.machine.Tree, kept, o, m.OwnerOf)...)
	}
	if _, own := m.accountName(p.Spec); p.Spec.Account == "" && !own {
		text := fmt.Sprintf("Account: install makes none here; it runs as %s, and other services that do can read its files", o.Name)
		if m.MakeAccount != "" {
			text += "; one of its own is better (" + m.MakeAccount + ")"
		}
		p.Warnings = append(p.Warnings, text)
	}
}

// barred returns the first folder above file that not everybody may enter, "" if there is
// none, or o is root. The owner and the group of the folder do not matter: a service has an
// account that nobody else has.
func (m *Manager) barred(file string, o Owner) string {
	if m.User || o.UID == 0 && !o.Missing {
		return ""
	}
	first := ""
	for p := path.Dir(file); p != "/" && p != "."; p = path.Dir(p) {
		if info, err := os.Stat(m.machine.Tree.Path(p)); err == nil && info.Mode().Perm()&0o001 == 0 {
			first = p
		}
	}
	return first
}

// lookupUser asks the system for an account: its files do not have all of them.
func lookupUser(_ context.Context, name string) (account.Account, bool, error) {
	u, err := user.Lookup(name)
	if unknown := user.UnknownUserError(""); errors.As(err, &unknown) {
		return account.Account{}, false, nil
	}
	if err != nil {
		return account.Account{}, false, err
	}
	uid, err1 := strconv.ParseInt(u.Uid, 10, 64)
	gid, err2 := strconv.ParseInt(u.Gid, 10, 64)
	return account.Account{Name: u.Username, Group: u.Gid, UID: int(uid), GID: int(gid)}, true, errors.Join(err1, err2)
}

func (m *Manager) Confined(ctx context.Context, s manage.Spec) manage.Confinement {
	o, exists, err := m.findAccount(ctx, s)
	if err != nil || !exists {
		o.Name = ""
	}
	return manage.Confinement{Account: o.Name}
}
