package crash

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	// MaxText is how much of a text is in a Report.
	MaxText = 64 << 10

	// Keep is how many crashes stay filed.
	Keep = 10

	maxFile = 1 << 20 // how much of a file is kept
	maxLeft = 100     // how many files List looks at that nobody has filed
)

const stamp = "20060102T150405Z"

// Take returns what runs of program have left in dir that did not end with Close, the
// oldest first, and files their texts, so that each is returned once, and to one of
// those who ask at the same time. A run that goes on is left alone, and so is what
// another program has left: what a service starts inherits the name of its folder. Where
// there is nothing, the folder for one, it returns nothing.
//
// An error is about what could not be read or filed, the reports of the others come with
// it. It is no reason not to run.
func Take(dir, program string) ([]Report, error) {
	names, err := list(dir, running, false)
	if err != nil {
		return nil, fmt.Errorf("what earlier runs have left: %w", err)
	}
	var reports []Report
	var errs []error
	now := bootID()
	for _, name := range names {
		path := filepath.Join(dir, name)
		if mine(path) {
			continue
		}
		r, ok, err := take(dir, name, program)
		if err != nil {
			errs = append(errs, fmt.Errorf("what an earlier run has left: %w", err))
		}
		if ok {
			r.Rebooted = r.boot != "" && now != "" && r.boot != now
			reports = append(reports, r)
		}
	}
	slices.SortStableFunc(reports, func(a, b Report) int { return a.Started.Compare(b.Started) })
	return reports, errors.Join(append(errs, prune(dir))...)
}

// mine reports whether the file is that of this run. Where locks are those of a process,
// another look at it would end its lock.
func mine(path string) bool {
	o := current.Load()
	return o != nil && o.path == path
}

// take claims the file of a run and files it. It is not ok if somebody else has it.
func take(dir, name, program string) (r Report, ok bool, err error) {
	path := filepath.Join(dir, name)
	f, err := claim(path)
	if errors.Is(err, errBusy) || errors.Is(err, fs.ErrNotExist) {
		return Report{}, false, nil
	}
	if err != nil {
		return Report{}, false, err
	}
	defer func() { _ = f.Close() }()
	if r, err = read(f); err != nil {
		return Report{}, false, err
	}
	if r.Program != "" && r.Program != program {
		return Report{}, false, nil
	}
	if r.PID == 0 {
		r.PID = pid(name)
	}
	if !r.Crashed() {
		return r, r.Program != "", os.Remove(path)
	}
	r.File = filepath.Join(dir, filed+r.Ended.UTC().Format(stamp)+"-"+strings.TrimPrefix(name, running))
	if err := os.Rename(path, r.File); err != nil {
		r.File = path
		return r, true, err
	}
	if r.Size > maxFile {
		err = errors.Join(f.Truncate(maxFile), os.Chtimes(r.File, r.Ended, r.Ended))
	}
	return r, true, err
}

// read reads the report that f holds, as far as it is wanted.
func read(f *os.File) (Report, error) {
	info, err := f.Stat()
	if err != nil {
		return Report{}, err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxHead+MaxText))
	if err != nil {
		return Report{}, err
	}
	run, text := parse(b)
	r := Report{Run: run, Size: info.Size() - int64(len(b)-len(text))}
	text = text[:min(len(text), MaxText)]
	r.Text = strings.Trim(strings.ToValidUTF8(string(text), "\uFFFD"), "\x00\n")
	if len(r.Text) > MaxText { // by what has replaced bytes
		r.Text = strings.ToValidUTF8(r.Text[:MaxText], "")
	}
	if r.Crashed() {
		r.Ended = info.ModTime()
	}
	return r, nil
}

// List returns the crashes in dir, the newest first: those that are filed, and those that
// no start has found yet, which are not filed for that. It changes nothing. The superuser
// may look at those of any user; to others, whose they are not, it is fs.ErrPermission.
func List(dir string) (reports []Report, err error) {
	for range 2 * Keep { // who starts the service again and again does not keep us here
		var moved bool
		if reports, moved, err = listed(dir); !moved {
			break
		}
	}
	if err != nil {
		err = fmt.Errorf("the crashes of earlier runs: %w", err)
	}
	return reports, err
}

// listed is List, unless a file that nobody had filed has moved meanwhile.
func listed(dir string) (reports []Report, moved bool, err error) {
	// In this order, what is filed in between is found to have moved. In the other it would
	// not be found.
	left, err := list(dir, running, true)
	if err != nil {
		return nil, false, err
	}
	names, err := list(dir, filed, true)
	if err != nil {
		return nil, false, err
	}
	slices.Reverse(names)
	var errs []error
	for _, name := range slices.Concat(left[:min(len(left), maxLeft)], names[:min(len(names), Keep)]) {
		path := filepath.Join(dir, name)
		if mine(path) {
			continue
		}
		switch r, err := look(path); {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, errBusy):
			moved = moved || strings.HasPrefix(name, running)
		case err != nil:
			errs = append(errs, err)
		case r.Crashed(): // a run without a text goes on, or was killed
			at, _, _ := strings.Cut(strings.TrimPrefix(name, filed), "-")
			if t, err := time.Parse(stamp, at); err == nil {
				r.Ended = t // a copy of the folder has other times
			}
			reports = append(reports, r)
		}
	}
	slices.SortStableFunc(reports, func(a, b Report) int { return b.Ended.Compare(a.Ended) })
	return reports, moved, errors.Join(errs...)
}

func look(path string) (Report, error) {
	f, err := openRegular(path, os.O_RDONLY)
	if err != nil {
		return Report{}, err
	}
	defer func() { _ = f.Close() }()
	r, err := read(f)
	r.File = path
	return r, err
}

// list returns the names in dir that begin with prefix and could be ours, sorted; none if
// there is no dir.
func list(dir, prefix string, readOnly bool) ([]string, error) {
	switch err := check(dir, readOnly); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if name := e.Name(); strings.HasPrefix(name, prefix) && strings.HasSuffix(name, suffix) && name == plain(name) {
			names = append(names, name)
		}
	}
	return names, nil
}

// prune removes the oldest of the filed crashes, those beyond Keep.
func prune(dir string) error {
	names, err := list(dir, filed, false)
	if err != nil || len(names) <= Keep {
		return err
	}
	var errs []error
	for _, name := range names[:len(names)-Keep] {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
