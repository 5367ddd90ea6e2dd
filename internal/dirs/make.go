package dirs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
)

// Make returns the folders of this process: those that its manager has named, or else those
// of a system service if the process has the rights for them, or else those of its user. It
// makes missing ones. If a folder cannot be made, the error says so and its field is empty.
// lost reports that the state is in a temporary folder because the user has no home.
func Make(name string) (d Dirs, lost bool, err error) {
	p := this(name)
	d, lost = p.find()
	d, err = p.make(d)
	return d, lost && d.State != "", err
}

// Logs returns only the folder for logs, as Make does, and makes it.
func Logs(name string) (string, error) {
	p := this(name)
	d, _ := p.find()
	d, err := p.make(Dirs{Logs: d.Logs})
	return d.Logs, err
}

// State returns the folder for the state, which Make would return, and makes only that.
func State(name string) (string, error) {
	p := this(name)
	d, _ := p.find()
	d, err := p.make(Dirs{State: d.State})
	return d.State, err
}

// Find returns the folders that Make would make.
func Find(name string) Dirs {
	d, _ := this(name).find()
	return d
}

// this describes the current process.
func this(name string) process {
	return process{
		goos: runtime.GOOS, name: name, machine: privileged(),
		home: os.Getenv("HOME"), temp: os.TempDir(), getenv: os.Getenv,
	}
}

// process describes the process that asks for its folders.
type process struct {
	goos, name string
	machine    bool   // it has the rights of a system service
	home       string // "" if there is none
	temp       string // the folder for temporary files
	getenv     func(string) string
}

// find returns the folders, and whether the state is in a temporary folder.
func (p process) find() (d Dirs, lost bool) {
	d = System(p.goos, p.name, p.getenv)
	if !p.machine {
		home := p.home
		if !path.IsAbs(home) {
			home = ""
		}
		d = User(p.goos, p.name, home, p.temp, p.getenv)
		homeless := User(p.goos, p.name, "", p.temp, func(string) string { return "" })
		lost = d.State == homeless.State
	}
	return d.Given(p.getenv, p.goos == "windows"), lost && p.getenv("STATE_DIRECTORY") == ""
}

// In returns folders below base, for tests. It makes them.
func In(base string) (Dirs, error) {
	d := below(base, string(filepath.Separator))
	var errs []error
	for _, v := range d.Vars() {
		errs = append(errs, os.MkdirAll(v.Dir, 0o700))
	}
	return d, errors.Join(errs...)
}

// make makes the missing folders.
func (p process) make(d Dirs) (Dirs, error) {
	var errs []error
	for _, f := range []struct {
		variable string
		dir      *string
	}{
		{"STATE_DIRECTORY", &d.State},
		{"CACHE_DIRECTORY", &d.Cache},
		{"LOGS_DIRECTORY", &d.Logs},
		{"RUNTIME_DIRECTORY", &d.Runtime},
		{"CONFIGURATION_DIRECTORY", &d.Configuration},
	} {
		if *f.dir == "" {
			continue // not requested
		}
		var err error
		if p.getenv(f.variable) != "" {
			err = given(f.variable, *f.dir)
		} else if err = own(*f.dir, p.name, p.machine); err != nil {
			err = fmt.Errorf("%w; or set %s", err, f.variable)
		}
		if err != nil {
			*f.dir = ""
			errs = append(errs, err)
		}
	}
	return d, errors.Join(errs...)
}

// given makes or checks a folder that the manager has named. Its owner does not matter, and
// it may be a link, as that of a dynamic user is: both are the manager's choice.
func given(variable, dir string) error {
	if !filepath.IsAbs(dir) {
		return fmt.Errorf("%s=%q: want an absolute path", variable, dir)
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err = os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("%w (named by %s): make it, owned by the user this program runs as", err, variable)
		}
	case err != nil:
		return fmt.Errorf("%s: %w", variable, err)
	case !info.IsDir():
		return fmt.Errorf("%s=%q: want a folder, but it is a file", variable, dir)
	}
	return nil
}

// own makes or checks a folder that nobody else makes.
func own(dir, name string, machine bool) error {
	// Its last elements belong to the service: NAME, or NAME and the purpose.
	above, ours := filepath.Dir(dir), []string{dir}
	if filepath.Base(above) == name {
		above, ours = filepath.Dir(above), []string{above, dir}
	}
	if err := lead(above, machine); err != nil {
		return err
	}
	for _, d := range ours {
		if err := create(d, machine); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%w: make it, owned by the user this program runs as", err)
		}
		if err := private(d); err != nil {
			return err
		}
	}
	return nil
}

// lead makes the folders above the service's own.
func lead(dir string, machine bool) error {
	info, err := os.Lstat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir):
		if err := lead(filepath.Dir(dir), machine); err != nil {
			return err
		}
		mode := fs.FileMode(0o700)
		if machine {
			mode = 0o755 // other services use it too
		}
		if err := os.Mkdir(dir, mode); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%w: make it", err)
		}
		return lead(dir, machine) // check it: another process may have made it
	case err != nil:
		return err
	case info.Mode()&fs.ModeSymlink != 0:
		if err := trusted(dir, info); err != nil {
			return err
		}
		if info, err = os.Stat(dir); err != nil {
			return err
		}
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a folder: move it away", dir)
	}
	if filepath.Dir(dir) == dir {
		return nil
	}
	return lead(filepath.Dir(dir), machine)
}
