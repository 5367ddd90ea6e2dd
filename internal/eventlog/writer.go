package eventlog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/logevent"
)

// api is the Event Log as Windows has it. Each call may take any time.
type api interface {
	register(source string) (handle uintptr, err error)
	// report fails with errRefused if the record is not taken for what it is.
	report(handle uintptr, r *record) error
	deregister(handle uintptr) error
}

// errRefused says that another record might be taken.
var errRefused = errors.New("the record is refused")

// writer has a goroutine report records, in order and one at a time. See the package
// comment for what it does when that gets nowhere.
type writer struct {
	api     api
	source  string
	form    form // of the record about those that are lost
	records records

	work  chan *record  // what the goroutine has to report; closed when it has to end
	done  chan error    // what became of it
	ended chan struct{} // closed when it has

	mu     sync.Mutex
	timer  *time.Timer
	busy   *record   // what the goroutine has; nil if it waits for work
	hung   bool      // somebody has waited for it in vain
	gone   bool      // the last call has failed
	retry  time.Time // and there is none until then
	lost   uint64
	told   uint64 // of those, how many a record was about
	closed bool
}

func newWriter(api api, source string) (*writer, error) {
	w := &writer{
		api: api, source: source, form: newForm(),
		work: make(chan *record), done: make(chan error, 1), ended: make(chan struct{}),
		timer: time.NewTimer(openTimeout),
	}
	go w.run()
	select {
	case err := <-w.done:
		w.timer.Stop()
		if err != nil {
			<-w.ended
			return nil, err
		}
		return w, nil
	case <-w.timer.C:
		close(w.work) // it ends when its call does
		return nil, os.ErrDeadlineExceeded
	}
}

// run is the goroutine.
func (w *writer) run() {
	defer close(w.ended)
	handle, err := w.api.register(w.source)
	if w.done <- err; err != nil {
		return
	}
	open := true
	for r := range w.work {
		if r.anew {
			if open {
				_ = w.api.deregister(handle) // it is of a service that has ended
			}
			handle, err = w.api.register(w.source)
			if open = err == nil; !open {
				w.done <- err
				continue
			}
		}
		w.done <- w.api.report(handle, r)
	}
	if open {
		_ = w.api.deregister(handle) // nobody could do anything about it
	}
}

// write has a record reported, after one about those that are lost, and waits that long
// for both.
func (w *writer) write(r *record, wait time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	until := time.Now().Add(wait)
	if w.closed || !w.free(until) || w.lost > w.told && !w.tell(until) {
		w.lost++
		w.records.put(r)
		return
	}
	w.hand(r, until)
}

// free reports whether the goroutine can be given something, until then at the latest.
func (w *writer) free(until time.Time) bool {
	return w.await(until) && (!w.gone || !time.Now().Before(w.retry))
}

// tell tells how many records are lost. It reports whether another can follow.
func (w *writer) tell(until time.Time) bool {
	r := w.records.get()
	e := zapcore.Entry{Level: zapcore.WarnLevel, Message: "records of the log are lost: the Event Log did not take them"}
	r.encode(w.form, e, []zapcore.Field{logevent.RecordsLost.Field(), zap.Uint64("records", w.lost-w.told)}, 0)
	r.tells = w.lost
	w.hand(r, until)
	return w.free(until)
}

// hand gives a record to the goroutine, which waits for one.
func (w *writer) hand(r *record, until time.Time) {
	r.anew = w.gone
	w.busy = r
	w.work <- r
	w.await(until)
}

// await reports whether the goroutine waits for work, until then at the latest. Once
// somebody has waited in vain nobody else does.
func (w *writer) await(until time.Time) bool {
	if w.look(); w.busy == nil || w.hung {
		return w.busy == nil
	}
	w.timer.Reset(time.Until(until))
	defer w.timer.Stop()
	select {
	case err := <-w.done:
		w.finish(err)
		return true
	case <-w.timer.C:
		w.hung = true
		return false
	}
}

// look takes what became of the last record, if the goroutine is ready.
func (w *writer) look() {
	if w.busy == nil {
		return
	}
	select {
	case err := <-w.done:
		w.finish(err)
	default:
	}
}

// finish takes what became of the last record.
func (w *writer) finish(err error) {
	r := w.busy
	w.busy, w.hung = nil, false
	refused := errors.Is(err, errRefused)
	w.gone = err != nil && !refused
	if w.gone {
		w.retry = time.Now().Add(retryEvery)
	}
	switch {
	case r.tells == 0 && err != nil:
		w.lost++
	case r.tells > 0 && !w.gone: // if it was refused it would be again
		w.told = r.tells
	}
	w.records.put(r)
}

// settle waits until the goroutine has done what it had to, or until ctx ends.
func (w *writer) settle(ctx context.Context) error {
	const lookEvery = time.Millisecond // for those who log hold the lock while they wait
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		w.mu.Lock()
		w.look()
		settled := w.busy == nil || w.closed
		w.mu.Unlock()
		switch {
		case settled:
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("the Event Log does not take what was logged: %w", os.ErrDeadlineExceeded)
		}
		timer.Reset(lookEvery)
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
}

func (w *writer) total() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.look()
	return w.lost
}

func (w *writer) close(ctx context.Context) error {
	_ = w.settle(ctx)
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return nil
	}
	w.closed = true
	if w.busy == nil && w.lost > w.told {
		w.tell(time.Now()) // who waits for it is below
	}
	close(w.work)
	w.mu.Unlock()

	select {
	case <-w.ended:
	case <-ctx.Done():
		// Where nothing hangs this is time enough for what has just been begun.
		timer := time.NewTimer(moment)
		defer timer.Stop()
		select {
		case <-w.ended:
		case <-timer.C:
			return fmt.Errorf("close the Event Log: %w", os.ErrDeadlineExceeded)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.look()
	return nil
}
