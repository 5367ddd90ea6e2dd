package crash

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// End describes how a run ended that did not crash.
type End struct {
	Version string    `json:"version,omitempty"`
	PID     int       `json:"pid"` // set by Keep
	Began   time.Time `json:"began"`
	Ended   time.Time `json:"ended"`
	Code    int       `json:"code"`
	Trigger string    `json:"trigger"`
	Detail  string    `json:"detail"`
	Error   string    `json:"error,omitempty"`
}

const (
	maxEnd  = 64 << 10 // the bytes of a file that are read
	maxWord = 4 << 10  // the bytes of a text that are kept
)

// endName returns the name of the file with the end of a program's last run. Each program
// needs its own: processes that a service starts inherit the name of its folder.
func endName(program string) string { return "last-run-" + program + ".json" }

const tempSuffix = ".new" // suffix of the file while it is written

// Keep writes how the run ends to the folder of o, for [Last]. Open has removed the file of
// an earlier run, so a killed run does not appear to have ended that way.
func (o *Output) Keep(e End) error {
	if o == nil {
		return nil
	}
	e.PID = os.Getpid()
	for _, s := range []*string{&e.Version, &e.Trigger, &e.Detail, &e.Error} {
		*s = strings.ToValidUTF8((*s)[:min(len(*s), maxWord)], "")
	}
	text, err := json.Marshal(e)
	if err != nil {
		return err // cannot happen for this type
	}
	if err := replace(o.end, append(text, '\n')); err != nil {
		return fmt.Errorf("keep how the run ended: %w", err)
	}
	return nil
}

// replace writes the file that Last reads. A concurrent reader sees either the old or the
// new file as a whole.
func replace(end string, text []byte) error {
	path := end + tempSuffix
	if err := forget(path); err != nil { // a run was killed while it wrote it
		return err
	}
	f, err := create(path)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(path, end)
	}
	if err != nil {
		return errors.Join(err, forget(path))
	}
	return nil
}

func forget(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Last returns how the last run of program whose crashes are kept in dir ended. It returns
// nil if there was none, if one goes on, or if the last one crashed or was killed. It fails
// as [List] does.
func Last(dir, program string) (*End, error) {
	e, err := readEnd(dir, program)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, errBusy):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read how the last run ended: %w", err)
	}
	return e, nil
}

func readEnd(dir, program string) (*End, error) {
	if err := checkFolder(dir, true); err != nil {
		return nil, err
	}
	f, err := openRegular(filepath.Join(dir, endName(program)), os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxEnd))
	if err != nil {
		return nil, err
	}
	e := &End{}
	if json.Unmarshal(text, e) != nil {
		return nil, nil // cut by a power failure, or another program's file
	}
	for _, s := range []*string{&e.Version, &e.Trigger, &e.Detail, &e.Error} {
		*s = plain(*s)
	}
	return e, nil
}
