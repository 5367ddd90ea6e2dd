package script

import (
	"fmt"
	"io/fs"
	"os"
	"path"

	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
	"github.com/go-glidepath/glidepath/internal/service/system/shell"
)

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
func planFolders(p *service.Plan, tree files.Tree, folders []folder) {
	for _, f := range folders {
		p.Artefacts = append(p.Artefacts, service.Artefact{
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

// sweep removes what a command that was killed has left in the folders of paths.
func sweep(c *files.Change, paths []string) {
	for _, p := range paths {
		c.Sweep(path.Dir(p))
	}
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
