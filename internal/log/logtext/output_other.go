//go:build !unix

package logtext

import (
	"os"
	"time"

	"github.com/go-glidepath/glidepath/internal/log/queue"
)

// output writes to a file of its own. A write may block: a console takes nothing while a
// user selects text, nor does a full pipe.
type output struct {
	file    *os.File // nil if there is no file
	regular bool
	restore func() // restores the mode of the console; nil if it was not changed
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

// colour makes a console interpret escape sequences, and reports whether it does.
func (o *output) colour() (ok bool) {
	if o.file != nil {
		o.restore, ok = enableColour(o.file)
	}
	return ok
}

// columns returns the width of a console, 0 if unknown.
func (o *output) columns() int {
	if o.file == nil {
		return 0
	}
	return columns(o.file)
}

// Send writes b. It treats a missing reader and a full disk as temporary.
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

// Wait sleeps.
func (*output) Wait(_ queue.Outcome, d time.Duration) { time.Sleep(d) }

// Unread returns 0: data in a pipe is not tracked further.
func (*output) Unread() int { return 0 }

// Close restores the mode of the console and closes the file.
func (o *output) Close() error {
	if o.restore != nil {
		o.restore()
	}
	if o.file == nil {
		return nil
	}
	return o.file.Close()
}
