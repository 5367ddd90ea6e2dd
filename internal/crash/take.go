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
	// MaxText limits the text in a Report, in bytes.
	MaxText = 64 << 10

	// Keep limits the number of filed crashes.
	Keep = 10

	maxFile = 1 << 20 // the bytes of a file that are kept
	maxLeft = 100     // the number of files not filed yet that List reads
)

const timeLayout = "20060102T150405Z"

// Take returns a report of each run of program in dir that did not end with Close, the
// oldest first. It files their texts, so each report is returned only once, and to only one
// of several concurrent callers. It leaves the files of current runs alone, and those of
// other programs: processes that a service starts inherit the name of its folder. If the
// folder does not exist, Take returns nothing.
//
// An error describes what could not be read or filed; Take returns the other reports with
// it. The program can run without them.
func Take(dir, program string) ([]Report, error) {
	names, err := listNames(dir, runPrefix, false)
	if err != nil {
		return nil, fmt.Errorf("read the crashes of earlier runs: %w", err)
	}
	var reports []Report
	var errs []error
	now := bootID()
	for _, name := range names {
		path := filepath.Join(dir, name)
		if isOwnFile(path) {
			continue
		}
		r, ok, err := takeFile(dir, name, program)
		if err != nil {
			errs = append(errs, fmt.Errorf("read or file the crash of an earlier run: %w", err))
		}
		if ok {
			r.Rebooted = r.boot != "" && now != "" && r.boot != now
			reports = append(reports, r)
		}
	}
	slices.SortStableFunc(reports, func(a, b Report) int { return a.Started.Compare(b.Started) })
	return reports, errors.Join(append(errs, prune(dir))...)
}

// isOwnFile reports whether the file belongs to this run. Where locks belong to a process,
// opening and closing the file again would end its lock.
func isOwnFile(path string) bool {
	o := current.Load()
	return o != nil && o.path == path
}

// takeFile claims the file of a run and files it. It returns false if another process has the
// file.
func takeFile(dir, name, program string) (r Report, ok bool, err error) {
	path := filepath.Join(dir, name)
	f, err := claim(path)
	if errors.Is(err, errBusy) || errors.Is(err, fs.ErrNotExist) {
		return Report{}, false, nil
	}
	if err != nil {
		return Report{}, false, err
	}
	defer func() { _ = f.Close() }()
	if r, err = readText(f); err != nil {
		return Report{}, false, err
	}
	if r.Program != "" && r.Program != program {
		return Report{}, false, nil
	}
	if r.PID == 0 {
		r.PID = pidOf(name)
	}
	if !r.Crashed() {
		return r, r.Program != "", os.Remove(path)
	}
	r.File = filepath.Join(dir, crashPrefix+r.Ended.UTC().Format(timeLayout)+"-"+strings.TrimPrefix(name, runPrefix))
	if err := os.Rename(path, r.File); err != nil {
		r.File = path
		return r, true, err
	}
	if r.Size > maxFile {
		err = errors.Join(f.Truncate(maxFile), os.Chtimes(r.File, r.Ended, r.Ended))
	}
	return r, true, err
}

// readText reads the report that f holds, up to the limits.
func readText(f *os.File) (Report, error) {
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
	if len(r.Text) > MaxText { // because replacements are longer than the bytes they replace
		r.Text = strings.ToValidUTF8(r.Text[:MaxText], "")
	}
	if r.Crashed() {
		r.Ended = info.ModTime()
	}
	return r, nil
}

// List returns the crashes in dir, the newest first. They include those that no start has
// taken yet. List changes nothing. The superuser may list the crashes of any user; for
// other users, List returns fs.ErrPermission unless the folder is theirs.
func List(dir string) (reports []Report, err error) {
	for range 2 * Keep { // bounded: a service that restarts again and again must not keep us here
		var moved bool
		if reports, moved, err = listOnce(dir); !moved {
			break
		}
	}
	if err != nil {
		err = fmt.Errorf("the crashes of earlier runs: %w", err)
	}
	return reports, err
}

// listOnce does the work of List, once. It returns true if a file was moved meanwhile.
func listOnce(dir string) (reports []Report, moved bool, err error) {
	// In this order, a file that is filed in between is noticed because it moved. In the
	// other order it would be missed.
	left, err := listNames(dir, runPrefix, true)
	if err != nil {
		return nil, false, err
	}
	names, err := listNames(dir, crashPrefix, true)
	if err != nil {
		return nil, false, err
	}
	slices.Reverse(names)
	var errs []error
	for _, name := range slices.Concat(left[:min(len(left), maxLeft)], names[:min(len(names), Keep)]) {
		path := filepath.Join(dir, name)
		if isOwnFile(path) {
			continue
		}
		switch r, err := readReport(path); {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, errBusy):
			moved = moved || strings.HasPrefix(name, runPrefix)
		case err != nil:
			errs = append(errs, err)
		case r.Crashed(): // a run without a text goes on, or was killed
			at, _, _ := strings.Cut(strings.TrimPrefix(name, crashPrefix), "-")
			if t, err := time.Parse(timeLayout, at); err == nil {
				r.Ended = t // a copied folder has other file times
			}
			reports = append(reports, r)
		}
	}
	slices.SortStableFunc(reports, func(a, b Report) int { return b.Ended.Compare(a.Ended) })
	return reports, moved, errors.Join(errs...)
}

func readReport(path string) (Report, error) {
	f, err := openRegular(path, os.O_RDONLY)
	if err != nil {
		return Report{}, err
	}
	defer func() { _ = f.Close() }()
	r, err := readText(f)
	r.File = path
	return r, err
}

// listNames returns the sorted names in dir that begin with prefix and could be ours. It returns
// none if dir does not exist.
func listNames(dir, prefix string, readOnly bool) ([]string, error) {
	switch err := checkFolder(dir, readOnly); {
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

// prune removes the oldest filed crashes, except the newest Keep.
func prune(dir string) error {
	names, err := listNames(dir, crashPrefix, false)
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
