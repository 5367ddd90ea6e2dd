//go:build !unix

package logtext

import (
	"os"
	"time"

	"github.com/go-glidepath/glidepath/internal/log/queue"
)

// output writes to a file of its own. A write may wait: a console in which somebody
// selects text takes nothing, nor does a pipe that is full.
type output struct {
	file    *os.File // nil: there is none
	regular bool
	restore func() // gives the console back as it was; nil if it is as it was
}

func newOutput(f *os.File) *output {
	own, err := duplicate(f)
	if err != nil {
		return &output{}
	}
	info, err := own.Stat()
	return &output{file: own, regular: err == nil && info.Mode().IsRegular()}
}

// blocks reports whether Send may take any time.
func (o *output) blocks() bool { return o.file != nil && !o.regular }

// colour has a console understand escape sequences, and reports whether it does.
func (o *output) colour() (ok bool) {
	if o.file != nil {
		o.restore, ok = enableColour(o.file)
	}
	return ok
}

// columns returns how wide a console is, 0 if that is not known.
func (o *output) columns() int {
	if o.file == nil {
		return 0
	}
	return columns(o.file)
}

// Send writes b. That a reader is gone, or a disk full, may change.
func (o *output) Send(b []byte) (int, queue.Outcome) {
	if o.file == nil {
		return 0, queue.Refused
	}
	n, err := o.file.Write(b)
	if err != nil {
		return n, queue.Gone
	}
	return n, queue.Taken
}

// Wait waits.
func (*output) Wait(_ queue.Outcome, d time.Duration) { time.Sleep(d) }

// Unread returns 0: what is in a pipe stays there.
func (*output) Unread() int { return 0 }

// Close gives the console back as it was, and closes the file.
func (o *output) Close() error {
	if o.restore != nil {
		o.restore()
	}
	if o.file == nil {
		return nil
	}
	return o.file.Close()
}
