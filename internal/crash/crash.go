// Package crash keeps the text of a crash. A panic on an unguarded goroutine, a fatal error
// of the runtime (concurrent writes to a map, a stack overflow, no memory left) and SIGQUIT
// or SIGABRT end the process at once, so it cannot log anything more. The text that the
// runtime writes to standard error is lost if that leads nowhere. [Open] makes the runtime
// write the text to a file too, and [Take] finds it at the next start.
//
// A folder contains these files. Their names sort by time.
//
//	run-PID-RANDOM.txt         for each run that goes on, or ended without Close
//	crash-TIME-PID-RANDOM.txt  for a crash that Take has filed; the newest 10
//	last-run-NAME.json         how the last run ended, if it did not crash
//
// Each text file begins with a header that identifies the run, followed by what the runtime
// wrote. The file of a run that goes on is locked, so that other runs of the program in the
// same folder leave it alone. The lock ends with the process, however that ends.
//
// Note two properties of the runtime. First, it copies to the file only what it prints
// after it has begun to die. It prints the line "fatal error: …" earlier, so that line
// appears only on standard error; [Report.Summary] infers the error from the frames.
// Second, the text has no size limit: with very many goroutines it is long. Take cuts it.
package crash

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
)

const (
	runPrefix   = "run-"   // prefix of the file of a run
	crashPrefix = "crash-" // prefix of a file that Take has filed
	suffix      = ".txt"
)

// ErrTaken is returned when another run of this process already keeps its crash text: the
// runtime writes to one file only.
var ErrTaken = errors.New("another run of this process already keeps its crash text")

// errBusy is returned for a file that another process has locked.
var errBusy = errors.New("file in use")

// Output manages the file of this run. A nil Output does nothing.
type Output struct {
	path string
	end  string // the file that Keep writes
	file *os.File
	head int64 // the size of the header
}

// current points to the Output that the runtime writes to. The runtime has only one.
var current atomic.Pointer[Output]

// Open makes the runtime write the text of a crash to a file in dir, until Close. If only
// the last element of dir is missing, Open makes it, accessible to its owner only. It
// refuses a folder that is a link, belongs to another user or can be written to by others.
//
// An error explains why no text is kept. The program can run without it.
func Open(dir string, r Run) (*Output, error) {
	o, err := open(dir, r)
	if err != nil {
		return nil, fmt.Errorf("the text of a crash will not be kept: %w", err)
	}
	return o, nil
}

func open(dir string, r Run) (*Output, error) {
	o := &Output{}
	if !current.CompareAndSwap(nil, o) {
		return nil, ErrTaken
	}
	if err := o.start(dir, r); err != nil {
		current.Store(nil)
		return nil, err
	}
	return o, nil
}

func (o *Output) start(dir string, r Run) error {
	if err := prepareFolder(dir); err != nil {
		return err
	}
	if err := o.create(dir); err != nil {
		return err
	}
	r.PID, r.boot = os.Getpid(), bootID()
	head := r.header()
	o.head = int64(len(head))
	_, err := o.file.Write(head)
	if err == nil {
		o.end = filepath.Join(dir, endName(r.Program))
		err = forget(o.end)
	}
	if err == nil {
		err = debug.SetCrashOutput(o.file, debug.CrashOptions{})
	}
	if err != nil {
		return errors.Join(err, o.file.Close(), os.Remove(o.path))
	}
	return nil
}

// create makes a file with an unused name and locks it. A Take of another process that
// comes between these two steps finds an empty file without an owner.
func (o *Output) create(dir string) error {
	for range 10 {
		var random [4]byte
		_, _ = rand.Read(random[:]) // never fails
		o.path = filepath.Join(dir, runPrefix+strconv.Itoa(os.Getpid())+"-"+hex.EncodeToString(random[:])+suffix)
		f, err := create(o.path)
		if errors.Is(err, fs.ErrExist) || errors.Is(err, errBusy) {
			continue
		}
		o.file = f
		return err
	}
	return fmt.Errorf("%s: %w", dir, errBusy)
}

// Close ends a run that did not crash: the runtime stops writing to the file, and Close
// removes it. If a crash is in progress, the file stays.
func (o *Output) Close() error {
	if o == nil || !current.CompareAndSwap(o, nil) {
		return nil
	}
	err := debug.SetCrashOutput(nil, debug.CrashOptions{})
	info, stat := o.file.Stat()
	errs := []error{err, stat, o.file.Close()} // Windows cannot remove an open file
	if stat == nil && info.Size() <= o.head {
		errs = append(errs, os.Remove(o.path))
	}
	return errors.Join(errs...)
}

// prepareFolder makes dir, if only its last element is missing, and checks who can write to it.
func prepareFolder(dir string) error {
	if !filepath.IsAbs(dir) {
		return fmt.Errorf("%q: want the absolute path of a folder", dir)
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return checkFolder(dir, false)
}

// checkFolder returns an error unless dir is a folder that only this user can write to. With
// read, the superuser may use the folder of any user.
func checkFolder(dir string, read bool) error {
	info, err := os.Lstat(dir)
	switch {
	case err != nil:
		return err
	case !info.IsDir(): // or a link
		return fmt.Errorf("%s is a link or a file: move it away", dir)
	}
	return checkPrivate(dir, info, read)
}

// statRegular returns the FileInfo of f, and an error if f is not a regular file.
func statRegular(f *os.File, path string) (fs.FileInfo, error) {
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file: remove it", path)
	}
	return info, err
}

// pidOf returns the ID of the process that made the file.
func pidOf(name string) int {
	text, _, _ := strings.Cut(strings.TrimPrefix(name, runPrefix), "-")
	n, _ := strconv.Atoi(text)
	return n
}
