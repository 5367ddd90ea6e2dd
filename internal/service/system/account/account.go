// Package account makes the system accounts that services run as where the manager
// has none of its own to give: a user with a group of the same name, without a
// password, a shell and a home that it could fill.
package account

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/command"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
)

// Account is a user of the machine.
type Account struct {
	Name    string
	Group   string // the user's first group
	UID     int
	GID     int
	Comment string // what /etc/passwd says of it
}

// maxName is what a name may have everywhere: useradd has 32 with its end, pw 32.
const maxName = 31

// Name is what the account of a service is called, which is the service's own name if
// that is legal for a user on every system. Else it is what is left of it, with a few
// digits that keep two services apart.
func Name(service string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(service) {
		switch {
		case 'a' <= r && r <= 'z', b.Len() > 0 && ('0' <= r && r <= '9' || r == '_' || r == '-'):
			b.WriteRune(r)
		case b.Len() > 0:
			b.WriteByte('-')
		default:
			b.WriteByte('s') // a user that begins with a digit could be taken for its number
		}
	}
	name := b.String()
	if name == service && len(name) <= maxName && !strings.HasSuffix(name, "-") {
		return name
	}
	const digits = 6
	sum := sha256.Sum256([]byte(service))
	name = strings.TrimRight(name[:min(len(name), maxName-digits-1)], "-_")
	return name + "-" + hex.EncodeToString(sum[:])[:digits]
}

// comment marks what Ensure makes, so that Remove knows it.
func comment(service string) string {
	return "Glidepath service " + strings.NewReplacer(":", " ", ",", " ", "@", " ").Replace(service)
}

// Own reports whether Ensure has made a for the service.
func (a Account) Own(service string) bool {
	said, _, _ := strings.Cut(a.Comment, ",") // some tools add the empty fields of a room and two telephones
	return said == comment(service)
}

// Find returns the account of that name, or number, and whether there is one. It reads
// the files of the machine, and asks for users that are kept elsewhere.
func Find(ctx context.Context, m manage.Machine, name string) (a Account, exists bool, err error) {
	a, exists, err = in(m.Tree, "/etc/passwd", name)
	if err == nil && !exists {
		// Not every system has it; then it has no such users either.
		said, err := m.Runner()(ctx, "getent", "passwd", name)
		if command.Code(err) == 0 {
			a, exists = parse(strings.TrimSpace(said))
		} else if ctx.Err() != nil {
			return Account{}, false, err
		}
	}
	if err != nil || !exists {
		return Account{}, false, err
	}
	a.Group, err = group(m.Tree, a.GID)
	if a.Group == "" && err == nil {
		a.Group = strconv.Itoa(a.GID)
	}
	return a, true, err
}

func in(tree files.Tree, file, name string) (Account, bool, error) {
	text, _, err := tree.Read(file)
	if err != nil {
		return Account{}, false, fmt.Errorf("look for the user %s: %w", name, err)
	}
	for line := range strings.Lines(text) {
		a, ok := parse(strings.TrimSuffix(line, "\n"))
		if ok && (a.Name == name || strconv.Itoa(a.UID) == name) {
			return a, true, nil
		}
	}
	return Account{}, false, nil
}

// parse reads a line of passwd(5).
func parse(line string) (Account, bool) {
	f := strings.Split(line, ":")
	if len(f) < 7 {
		return Account{}, false
	}
	uid, err1 := strconv.Atoi(f[2])
	gid, err2 := strconv.Atoi(f[3])
	return Account{Name: f[0], UID: uid, GID: gid, Comment: f[4]}, errors.Join(err1, err2) == nil
}

// group returns the name of a group, "" if there is none of that number.
func group(tree files.Tree, gid int) (string, error) {
	text, _, err := tree.Read("/etc/group")
	if err != nil {
		return "", fmt.Errorf("look for the group %d: %w", gid, err)
	}
	for line := range strings.Lines(text) {
		if f := strings.Split(line, ":"); len(f) > 2 && f[2] == strconv.Itoa(gid) {
			return f[0], nil
		}
	}
	return "", nil
}

// HasGroup reports whether /etc/group has a group of that name.
func HasGroup(tree files.Tree, name string) bool {
	text, _, _ := tree.Read("/etc/group")
	return strings.HasPrefix(text, name+":") || strings.Contains(text, "\n"+name+":")
}

// others reports whether a group has members, or is the first group of a user.
func others(tree files.Tree, name string) bool {
	groups, _, _ := tree.Read("/etc/group")
	gid := ""
	for line := range strings.Lines(groups) {
		f := strings.Split(strings.TrimSpace(line), ":")
		if len(f) < 4 || f[0] != name {
			continue
		}
		if gid = f[2]; f[3] != "" {
			return true
		}
	}
	users, _, _ := tree.Read("/etc/passwd")
	for line := range strings.Lines(users) {
		if f := strings.Split(line, ":"); len(f) > 3 && f[3] == gid {
			return true
		}
	}
	return false
}

// Own returns the account that Ensure has made for a service, and whether there is one.
// It fails if a user or a group of that name belongs to somebody else: the service
// would get their files and their rights.
func Own(ctx context.Context, m manage.Machine, of string) (a Account, exists bool, err error) {
	name := Name(of)
	a, exists, err = Find(ctx, m, name)
	switch {
	case err != nil:
		return Account{}, false, err
	case exists && !a.Own(of):
		return Account{}, false, Taken("user", name, of)
	case !exists && HasGroup(m.Tree, name):
		return Account{}, false, Taken("group", name, of)
	}
	return a, exists, nil
}

// Of returns the account that a service runs as, and whether it exists: the one that s
// names, or the service's own.
func Of(ctx context.Context, m manage.Machine, s manage.Spec) (a Account, exists bool, err error) {
	switch {
	case s.Root():
		return Find(ctx, m, "root")
	case s.Account != "":
		return Find(ctx, m, s.Account)
	}
	return Own(ctx, m, s.ServiceName())
}

// Taken returns the error for a service whose account would be a user or a group that
// was not made for it. It is service.ErrConfig, whose words would blame the description.
func Taken(what, name, of string) error {
	return taken(fmt.Sprintf("the account of the service %s would be %s, but this machine has a %s of that name already, and the service would get its files and its rights: "+
		"choose another Name for the service, or set Account to the user that it should run as", of, name, what))
}

type taken string

func (t taken) Error() string { return string(t) }

func (taken) Is(target error) bool { return target == manage.ErrConfig }

// Ensure returns the account of a service, and makes it if there is none. home is what
// it has for one, and is not made. It fails where Own does.
func Ensure(ctx context.Context, m manage.Machine, of, home string) (a Account, made bool, err error) {
	name := Name(of)
	if a, exists, err := Own(ctx, m, of); err != nil || exists {
		return a, false, err
	}
	if err := add(ctx, m, name, home, comment(of)); err != nil {
		// Another installation may have made it meanwhile: then it is that one's to take back.
		if a, exists, failed := Own(ctx, m, of); failed == nil && exists {
			return a, false, nil
		}
		return Account{}, false, refused(fmt.Errorf("make the account %s: %w", name, err))
	}
	a, exists, err := Find(ctx, m, name)
	if err == nil && !exists {
		err = fmt.Errorf("make the account %s: the tools say it is made, but it is not there", name)
	}
	return a, err == nil, err
}

// add tries the tools of every system, one after the other.
func add(ctx context.Context, m manage.Machine, name, home, comment string) error {
	shell := nologin(m.Tree)
	err := run(ctx, m, "useradd", "--system", "--home-dir", home, "--no-create-home", "--shell", shell, "--comment", comment, "--user-group", name)
	if !errors.Is(err, exec.ErrNotFound) {
		return err
	}

	pwGroup := []string{"groupadd", "-n", name}
	busyboxGroup := []string{"-S", name}
	if err := pair(ctx, m,
		step{"pw", pwGroup},
		step{"pw", []string{"useradd", "-n", name, "-g", name, "-c", comment, "-d", home, "-s", shell, "-w", "no"}},
		step{"pw", []string{"groupdel", "-n", name}},
	); !errors.Is(err, exec.ErrNotFound) {
		return err
	}
	if err := pair(ctx, m,
		step{"addgroup", busyboxGroup},
		step{"adduser", []string{"-S", "-D", "-H", "-h", home, "-s", shell, "-G", name, "-g", comment, name}},
		step{"delgroup", []string{name}},
	); !errors.Is(err, exec.ErrNotFound) {
		return err
	}
	return errors.New("there is neither useradd nor pw nor adduser: make it by hand, or choose an Account")
}

type step struct {
	tool string
	args []string
}

// pair makes a group, and then a user; without the user no group stays.
func pair(ctx context.Context, m manage.Machine, group, user, undo step) error {
	if err := run(ctx, m, group.tool, group.args...); err != nil {
		return err
	}
	err := run(ctx, m, user.tool, user.args...)
	if err != nil {
		return errors.Join(err, run(context.WithoutCancel(ctx), m, undo.tool, undo.args...))
	}
	return nil
}

// Made reports whether the files of the machine have the account that Ensure has made for
// a service.
func Made(tree files.Tree, of string) bool {
	a, exists, err := in(tree, "/etc/passwd", Name(of))
	return err == nil && exists && a.Own(of)
}

// Remove removes the account of a service if Ensure has made it, and reports whether.
// One that was there before, and one that has been changed since, stays.
func Remove(ctx context.Context, m manage.Machine, of string) (removed bool, err error) {
	name := Name(of)
	a, exists, err := in(m.Tree, "/etc/passwd", name)
	if err != nil || !exists || !a.Own(of) {
		return false, err
	}
	for _, tool := range []step{
		{"userdel", []string{name}},
		{"pw", []string{"userdel", "-n", name}},
		{"deluser", []string{name}},
	} {
		err = command.Retry(ctx, inUse, func() error { return run(ctx, m, tool.tool, tool.args...) })
		if !errors.Is(err, exec.ErrNotFound) {
			break
		}
	}
	if err != nil {
		return false, refused(fmt.Errorf("remove the account %s: %w", name, err))
	}
	if !HasGroup(m.Tree, name) {
		return true, nil // it went with the user, as it mostly does
	}
	if others(m.Tree, name) {
		return true, nil // it was there before, or has become somebody else's as well
	}
	for _, tool := range []step{
		{"groupdel", []string{name}},
		{"pw", []string{"groupdel", "-n", name}},
		{"delgroup", []string{name}},
	} {
		if err = run(ctx, m, tool.tool, tool.args...); !errors.Is(err, exec.ErrNotFound) {
			break
		}
	}
	if err != nil {
		return true, refused(fmt.Errorf("remove the group %s: %w", name, err))
	}
	return true, nil
}

// inUse reports whether userdel found that the account still has a process. What was killed
// just now is a process until its parent has looked at it, which takes its time on a busy
// machine.
func inUse(err error) bool {
	var e *command.Error
	return errors.As(err, &e) && e.Code == 8
}

func run(ctx context.Context, m manage.Machine, tool string, args ...string) error {
	_, err := m.Runner()(ctx, tool, args...)
	return err
}

// refused adds what to do to an error of missing rights.
func refused(err error) error {
	if said := strings.ToLower(err.Error()); strings.Contains(said, "permission denied") || strings.Contains(said, "not permitted") {
		return fmt.Errorf("%w: run it as root (sudo); %w", service.ErrPermission, err)
	}
	return err
}

// nologin is the shell of accounts that nobody logs in to.
func nologin(tree files.Tree) string {
	for _, p := range []string{"/usr/sbin/nologin", "/sbin/nologin", "/bin/false"} {
		if tree.Exists(p) {
			return p
		}
	}
	return "/bin/false"
}
