package script

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
	"github.com/go-glidepath/glidepath/internal/service/system/shell"
)

// file is the file that makes something a service.
type file struct {
	path string
	mode fs.FileMode
	text string

	// takesOver reports whether old, which is not ours, is a file of kardianos/service, and
	// warns about what it has and the new one has not.
	takesOver func(old string) (warnings []string, ok bool)
}

// compare adds the file to the plan. It fails if the file belongs to another program,
// unless force makes a warning of that.
func (f file) compare(p *manage.Plan, tree files.Tree, force bool) error {
	old, exists, err := tree.Read(f.path)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w to read %s: run it as root (sudo)", service.ErrPermission, f.path)
	case err != nil && exists:
		return fmt.Errorf("%w: %w; remove it first", service.ErrForeign, err)
	case err != nil:
		return fmt.Errorf("look at what is installed: %w", err)
	}
	p.Artefacts = append(p.Artefacts, manage.Artefact{
		Name: f.path, Mode: fmt.Sprintf("%04o", f.mode.Perm()), Old: old, New: f.text, Present: exists, Wanted: true,
	})
	p.Installed = p.Installed || exists
	if !exists || manage.Marked(old) {
		return nil
	}
	warnings, ok := f.takesOver(old)
	switch {
	case ok:
		p.Replaces = "kardianos/service"
		p.Warnings = append(p.Warnings, warnings...)
	case force:
		p.Warnings = append(p.Warnings, fmt.Sprintf("%s %s: it is replaced", f.path, service.ErrForeign))
	default:
		return fmt.Errorf("%s %w: remove it, choose another name, or insist (--force)", f.path, service.ErrForeign)
	}
	return nil
}

// removable returns why the file cannot be removed: there is none, or it belongs to another
// program.
func (f file) removable(tree files.Tree, doing string) error {
	text, exists, err := tree.Read(f.path)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", doing, err)
	case !exists:
		return fmt.Errorf("%s: %w", doing, service.ErrNotInstalled)
	case manage.Marked(text):
		return nil
	}
	if _, ok := f.takesOver(text); !ok {
		return fmt.Errorf("%s: %s %w; remove it by hand", doing, f.path, service.ErrForeign)
	}
	return nil
}

// checkExecutable fails if other users can replace the executable or the EnvironmentFile,
// unless force makes a warning of that.
func checkExecutable(p *manage.Plan, tree files.Tree, safe func(file string, user bool) error, force bool) error {
	err := safe(tree.Path(p.Spec.Executable), p.Spec.User)
	switch {
	case force && errors.Is(err, service.ErrUnsafe):
		p.Warnings = append(p.Warnings, err.Error())
	case err != nil:
		return err
	}
	warnings, err := manage.CheckEnvironmentFile(p.Spec, tree, safe, force)
	p.Warnings = append(p.Warnings, warnings...)
	return err
}

// folder is a folder of a service. install leaves one that exists as it is.
type folder struct {
	path string
	mode fs.FileMode
	root bool // it belongs to root, with the account's group
}

// foldersOf returns those of d. The service may not change what the operator writes.
func foldersOf(d dirs.Dirs) []folder {
	return []folder{
		{d.State, 0o700, false},
		{d.Cache, 0o700, false},
		{d.Logs, 0o700, false},
		{d.Runtime, 0o700, false},
		{d.Configuration, 0o750, true},
	}
}

// planFolders adds folders to the plan.
func planFolders(p *manage.Plan, tree files.Tree, folders []folder) {
	for _, f := range folders {
		p.Artefacts = append(p.Artefacts, manage.Artefact{
			Name: f.path + "/", Mode: fmt.Sprintf("%04o", f.mode.Perm()), Present: tree.Exists(f.path), Wanted: true,
		})
	}
}

// strangers returns warnings about the folders that do not belong to the account that the
// service has now. It has got another one, and install gives away nothing that exists.
func strangers(tree files.Tree, folders []folder, o Owner, owner func(string) (int, bool)) (lines []string) {
	for _, f := range folders {
		if uid, ok := owner(tree.Path(f.path)); ok && !f.root && uid != o.UID {
			lines = append(lines, fmt.Sprintf("Account: %s; with the service stopped: %s", belongsTo(f.path, uid, o), shell.Join("chown", "-Rh", o.Name, f.path)))
		}
	}
	return lines
}

// belongsTo says that o cannot write to a folder.
func belongsTo(folder string, uid int, o Owner) string {
	return fmt.Sprintf("%s belongs to the user with ID %d, and %s cannot write there", folder, uid, o.Name)
}

// Chown gives a path to an owner; nil is files.Give for a folder, os.Lchown for a file.
type Chown func(path string, uid, gid int) error

// makeFolders makes the folders that are missing, and leaves the others as they are.
func makeFolders(c *files.Change, tree files.Tree, folders []folder, o Owner, chown Chown) error {
	if chown == nil {
		chown = files.Give
	}
	for _, f := range folders {
		c.Sweep(path.Dir(f.path))
		if tree.Exists(f.path) {
			continue
		}
		uid := o.UID
		if f.root {
			uid = 0
		}
		err := c.MkdirFor(f.path, f.mode, func(folder string) error { return give(folder, f.path, uid, o.GID, chown) })
		if err != nil {
			return err
		}
	}
	return nil
}

// give gives what is at a path, and is to be called name, to a user and a group.
func give(at, name string, uid, gid int, chown Chown) error {
	if chown == nil {
		chown = os.Lchown
	}
	if err := chown(at, uid, gid); err != nil {
		return fmt.Errorf("give %s to the user with ID %d: %w", name, uid, err)
	}
	return nil
}

// removeAll removes files.
func removeAll(c *files.Change, paths []string) error {
	for _, p := range paths {
		if err := c.Remove(p); err != nil {
			return err
		}
	}
	return nil
}
