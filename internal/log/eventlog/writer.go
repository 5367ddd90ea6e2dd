package eventlog

import (
	"errors"
	"os"
	"time"

	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/queue"
)

// api describes the functions of the Windows Event Log. Each call may take any time.
type api interface {
	register(source string) (handle uintptr, err error)
	// report returns errRefused if the record is refused because of its contents.
	report(handle uintptr, r *record) error
	deregister(handle uintptr) error
}

// errRefused says that the Event Log refused this record but may take others.
var errRefused = errors.New("the record is refused")

// writer encodes records and queues them.
type writer struct {
	form    form // for the report about lost records
	records records
	queue   *queue.Queue
}

func newWriter(api api, source string) (*writer, error) {
	handle, err := register(api, source)
	if err != nil {
		return nil, err
	}
	w := &writer{form: newForm()}
	w.queue = queue.New(queue.Options{
		Output: &output{api: api, source: source, handle: handle, open: true},
		Reader: "the Event Log", Blocking: true, Encode: w.encode,
	})
	return w, nil
}

// register returns a handle, or an error after at most openTimeout.
func register(api api, source string) (uintptr, error) {
	type result struct {
		handle uintptr
		err    error
	}
	done, late := make(chan result), make(chan struct{})
	go func() { // ends when its call returns
		handle, err := api.register(source)
		select {
		case done <- result{handle, err}:
		case <-late:
			if err == nil {
				_ = api.deregister(handle)
			}
		}
	}()
	timer := time.NewTimer(openTimeout)
	defer timer.Stop()
	select {
	case r := <-done:
		return r.handle, r.err
	case <-timer.C:
		close(late)
		return 0, os.ErrDeadlineExceeded
	}
}

// encode encodes a record of the sink itself.
func (w *writer) encode(e zapcore.Entry, fields []zapcore.Field) []byte {
	r := w.records.get()
	defer w.records.put(r)
	r.encode(w.form, e, fields, 0)
	return append([]byte(nil), r.pack()...)
}

// output reports records.
type output struct {
	api    api
	source string
	handle uintptr
	open   bool // handle is valid
	record record
}

// Send reports a record. After a restart of the service, the old handle is invalid, so Send
// tries once more with a new one.
func (o *output) Send(b []byte) (int, queue.Outcome) {
	o.record.unpack(b)
	for range 2 {
		if !o.open {
			handle, err := o.api.register(o.source)
			if err != nil {
				return 0, queue.Gone
			}
			o.handle, o.open = handle, true
		}
		err := o.api.report(o.handle, &o.record)
		switch {
		case err == nil:
			return len(b), queue.Taken
		case errors.Is(err, errRefused):
			return 0, queue.Refused
		}
		_ = o.Close()
	}
	return 0, queue.Gone
}

// Wait sleeps.
func (*output) Wait(_ queue.Outcome, d time.Duration) { time.Sleep(d) }

// Unread returns 0: a record that was reported is taken.
func (*output) Unread() int { return 0 }

// Close closes the handle.
func (o *output) Close() error {
	if !o.open {
		return nil
	}
	o.open = false
	return o.api.deregister(o.handle)
}
