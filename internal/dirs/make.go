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

// Make returns the folders of the process that asks: what its manager has named, else
// those of the machine if it has the rights for that, else those of its user. They are
// made. An error is about those that cannot be had, which are empty. lost says that the
// state is kept among temporary files, for want of a home.
func Make(name string) (d Dirs, lost bool, err error) {
	p := this(name)
	d, lost = p.find()
	d, err = p.make(d)
	return d, lost && d.State != "", err
}

// Logs is the folder for logs alone, as Make has it. It is made.
func Logs(name string) (string, error) {
	p := this(name)
	d, _ := p.find()
	d, err := p.make(Dirs{Logs: d.Logs})
	return d.Logs, err
}

// State returns the folder for the state alone, as Make has it, and makes it.
func State(name string) (string, error) {
	p := this(name)
	d, _ := p.find()
	d, err := p.make(Dirs{State: d.State})
	return d.State, err
}

// Find says where the folders are that Make would make.
func Find(name string) Dirs {
	d, _ := this(name).find()
	return d
}

// this is the process that asks.
func this(name string) process {
	return process{
		goos: runtime.GOOS, name: name, machine: privileged(),
		home: os.Getenv("HOME"), temp: os.TempDir(), getenv: os.Getenv,
	}
}

// process is whose folders they are.
type process struct {
	goos, name string
	machine    bool   // it has the rights of a service of the machine
	home       string // "" if there is none
	temp       string // the folder for temporary files
	getenv     func(string) string
}

// find says where they are, and whether the state is among temporary files.
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

// In returns folders below base, for tests. They are made.
func In(base string) (Dirs, error) {
	d := below(base, string(filepath.Separator))
	var errs []error
	for _, v := range d.Vars() {
		errs = append(errs, os.MkdirAll(v.Dir, 0o700))
	}
	return d, errors.Join(errs...)
}

// make makes what is missing.
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
			continue // not asked for
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

// given is for a folder that the manager has named. Whose it is, and whether it is a
// link, as that of a dynamic user is, is the manager's business.
func given(variable, dir string) error {
	if !filepath.IsAbs(dir) {
		return fmt.Errorf("%s=%q: want an absolute path", variable, dir)
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err = os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("%w, which %s names: make it, for the user that this runs as", err, variable)
		}
	case err != nil:
		return fmt.Errorf("%s: %w", variable, err)
	case !info.IsDir():
		return fmt.Errorf("%s=%q: want a folder, but it is a file", variable, dir)
	}
	return nil
}

// own is for a folder that nobody but us makes.
func own(dir, name string, machine bool) error {
	// The last of its parts are the service's own: NAME, or NAME and the purpose.
	above, ours := filepath.Dir(dir), []string{dir}
	if filepath.Base(above) == name {
		above, ours = filepath.Dir(above), []string{above, dir}
	}
	if err := lead(above, machine); err != nil {
		return err
	}
	for _, d := range ours {
		if err := create(d, machine); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%w: make it, for the user that this runs as", err)
		}
		if err := private(d); err != nil {
			return err
		}
	}
	return nil
}

// lead makes the folders that lead to the service's own.
func lead(dir string, machine bool) error {
	info, err := os.Lstat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir):
		if err := lead(filepath.Dir(dir), machine); err != nil {
			return err
		}
		mode := fs.FileMode(0o700)
		if machine {
			mode = 0o755 // others have theirs in it
		}
		if err := os.Mkdir(dir, mode); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%w: make it", err)
		}
		return lead(dir, machine) // whoever has made it
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
		return fmt.Errorf("%s is no folder: move it away", dir)
	}
	if filepath.Dir(dir) == dir {
		return nil
	}
	return lead(filepath.Dir(dir), machine)
}
