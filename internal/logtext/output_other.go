//go:build !unix

package logtext

import (
	"os"
	"time"
)

// output has a goroutine write where a write may wait: a console in which somebody
// selects text takes nothing, nor does a pipe that is full.
type output struct {
	file   *os.File
	direct bool // a write returns at once, or nobody waits for it any more

	buf   []byte        // the goroutine's while it is busy
	work  chan struct{} // nil until there is one
	done  chan error
	busy  bool
	timer *time.Timer
}

func newOutput(f *os.File) *output {
	info, err := f.Stat()
	return &output{file: f, direct: err == nil && info.Mode().IsRegular()}
}

// write is as on Unix, but that a record that the goroutine has is written, sooner or
// later.
func (o *output) write(b []byte, wait time.Duration) (int, error) {
	if o.direct {
		return o.file.Write(b)
	}
	if o.busy && o.await(wait) != nil {
		return 0, os.ErrDeadlineExceeded
	}
	if o.work == nil {
		o.work, o.done = make(chan struct{}), make(chan error, 1)
		o.timer = time.NewTimer(time.Hour)
		o.timer.Stop()
		go o.run(o.work, o.done)
	}
	o.buf = append(o.buf[:0], b...)
	o.busy = true
	o.work <- struct{}{}
	if err := o.await(wait); err != nil && !o.busy {
		return 0, err
	}
	return len(b), nil
}

// run is the goroutine.
func (o *output) run(work <-chan struct{}, done chan<- error) {
	for range work {
		_, err := o.file.Write(o.buf)
		done <- err
	}
}

// await waits for the goroutine, which is busy.
func (o *output) await(wait time.Duration) error {
	select {
	case err := <-o.done:
		o.busy = false
		return err
	default:
	}
	o.timer.Reset(wait)
	defer o.timer.Stop()
	select {
	case err := <-o.done:
		o.busy = false
		return err
	case <-o.timer.C:
		return os.ErrDeadlineExceeded
	}
}

func (o *output) sync(wait time.Duration) error {
	if o.busy {
		return o.await(wait)
	}
	return nil
}

// close ends the goroutine. If it still writes it ends when that does.
func (o *output) close(wait time.Duration) error {
	if o.direct || o.work == nil {
		return nil
	}
	err := o.sync(wait)
	close(o.work)
	o.direct, o.work = !o.busy, nil
	return err
}
