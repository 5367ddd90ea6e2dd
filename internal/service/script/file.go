package script

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
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
func (f file) compare(p *service.Plan, tree files.Tree, force bool) error {
	old, exists, err := tree.Read(f.path)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w to read %s: run it as root (sudo)", service.ErrPermission, f.path)
	case err != nil && exists:
		return fmt.Errorf("%w: %w; remove it first", service.ErrForeign, err)
	case err != nil:
		return fmt.Errorf("look at what is installed: %w", err)
	}
	p.Artefacts = append(p.Artefacts, service.Artefact{
		Name: f.path, Mode: fmt.Sprintf("%04o", f.mode.Perm()), Old: old, New: f.text, Present: exists, Wanted: true,
	})
	p.Installed = p.Installed || exists
	if !exists || service.Marked(old) {
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
	case service.Marked(text):
		return nil
	}
	if _, ok := f.takesOver(text); !ok {
		return fmt.Errorf("%s: %s %w; remove it by hand", doing, f.path, service.ErrForeign)
	}
	return nil
}

// checkExecutable fails if other users can replace the executable or the EnvironmentFile,
// unless force makes a warning of that.
func checkExecutable(p *service.Plan, tree files.Tree, safe func(file string, user bool) error, force bool) error {
	err := safe(tree.Path(p.Spec.Executable), p.Spec.User)
	switch {
	case force && errors.Is(err, service.ErrUnsafe):
		p.Warnings = append(p.Warnings, err.Error())
	case err != nil:
		return err
	}
	warnings, err := service.CheckEnvironmentFile(p.Spec, tree, safe, force)
	p.Warnings = append(p.Warnings, warnings...)
	return err
}
