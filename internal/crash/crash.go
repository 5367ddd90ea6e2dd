// Package crash keeps the text of a crash. A panic on a goroutine that nobody guards, a
// fatal error of the runtime (concurrent writes to a map, a stack that overflows, no
// memory left) and SIGQUIT or SIGABRT end the process at once: nothing of it can log any
// more, and the text that the runtime writes to standard error is gone where that leads
// nowhere. [Open] has the runtime write it to a file too, and [Take] finds it at the
// next start.
//
// A folder holds, with names that sort by time,
//
//	run-PID-RANDOM.txt         of each run that goes on, or has ended without Close
//	crash-TIME-PID-RANDOM.txt  what a run has left, filed by Take; the newest 10
//	last-run-NAME.json         how the last run ended, if it did not crash
//
// Each begins with a header that says whose it is; then comes what the runtime wrote.
// The file of a run that goes on is locked, so that others of the same program and the
// same folder leave it alone, and the lock ends with the process, however that ends.
//
// The runtime has two habits that one has to know. It copies to the file only what it
// prints once it is dying: the line "fatal error: …" comes just before, and so is only on
// standard error; [Report.Summary] reads from the frames what it must have been. And
// what it writes has no bound, as with very many goroutines; Take cuts it.
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
	running = "run-"   // begins the name of the file of a run
	filed   = "crash-" // begins the name of a file that Take has filed
	suffix  = ".txt"
)

// ErrTaken says that another run of this process has its crash text kept: the runtime
// writes to one file.
var ErrTaken = errors.New("another run of this process has it already")

// errBusy says that somebody else has a file locked.
var errBusy = errors.New("it is in use")

// Output is the file of this run. A nil Output does nothing.
type Output struct {
	path string
	end  string // the file that Keep writes
	file *os.File
	head int64 // the size of the header
}

// current is the Output that the runtime writes to, of which it has one as well.
var current atomic.Pointer[Output]

// Open has the runtime write the text of a crash to a file in dir, from now on until
// Close. If only dir is missing it is made, for its owner only; a folder that is a link,
// is somebody else's or can be written by others is not used.
//
// An error says why no text is kept. It is no reason not to run.
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
	if err := prepare(dir); err != nil {
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

// create makes a file of a name that nobody has, and locks it. A Take of somebody else
// that comes in between finds an empty file that nobody seems to have.
func (o *Output) create(dir string) error {
	for range 10 {
		var random [4]byte
		_, _ = rand.Read(random[:]) // never fails
		o.path = filepath.Join(dir, running+strconv.Itoa(os.Getpid())+"-"+hex.EncodeToString(random[:])+suffix)
		f, err := create(o.path)
		if errors.Is(err, fs.ErrExist) || errors.Is(err, errBusy) {
			continue
		}
		o.file = f
		return err
	}
	return fmt.Errorf("%s: %w", dir, errBusy)
}

// Close is for the end that nobody has to hear of: the runtime writes to the file no
// longer, and it is gone. If a crash is going on at this moment it stays.
func (o *Output) Close() error {
	if o == nil || !current.CompareAndSwap(o, nil) {
		return nil
	}
	err := debug.SetCrashOutput(nil, debug.CrashOptions{})
	info, stat := o.file.Stat()
	errs := []error{err, stat, o.file.Close()} // Windows removes no file that is open
	if stat == nil && info.Size() <= o.head {
		errs = append(errs, os.Remove(o.path))
	}
	return errors.Join(errs...)
}

// prepare makes dir, if only that is missing, and looks whose it is.
func prepare(dir string) error {
	if !filepath.IsAbs(dir) {
		return fmt.Errorf("%q: want the absolute path of a folder", dir)
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return check(dir, false)
}

// check returns an error unless dir is a folder that nobody but this user can write. To
// the superuser who only reads, it may be anybody's.
func check(dir string, read bool) error {
	info, err := os.Lstat(dir)
	switch {
	case err != nil:
		return err
	case !info.IsDir(): // a link too
		return fmt.Errorf("%s is a link or a file: move it away", dir)
	}
	return private(dir, info, read)
}

// pid is the process whose file this is.
func pid(name string) int {
	text, _, _ := strings.Cut(strings.TrimPrefix(name, running), "-")
	n, _ := strconv.Atoi(text)
	return n
}
