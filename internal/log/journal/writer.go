package journal

import (
	"bytes"
	"fmt"
	"time"

	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/queue"
)

// redialEvery is the interval for reconnecting to a missing journal.
const redialEvery = 100 * time.Millisecond

// writer encodes records and sends them.
type writer struct {
	constants *constants
	records   *records
	out       *output
	queue     *queue.Queue
}

func newWriter(path, identifier string) (*writer, error) {
	w := &writer{constants: newConstants(identifier), records: newRecords(), out: &output{path: path}}
	if err := w.out.socket.open(path); err != nil {
		return nil, fmt.Errorf("connect to the journal at %s: %w", path, err)
	}
	w.queue = queue.New(queue.Options{Output: w.out, Reader: "the journal", Late: loggedAt, Encode: w.encode})
	return w, nil
}

// loggedAt appends the time at which a record was logged: the journal itself stores the
// time at which it arrives.
func loggedAt(b []byte, logged time.Time) []byte {
	return append(logged.AppendFormat(append(b, "LOGGED_AT="...), time.RFC3339Nano), '\n')
}

// encode encodes a record of the sink itself.
func (w *writer) encode(e zapcore.Entry, fields []zapcore.Field) []byte {
	r := w.records.get()
	defer w.records.put(r)
	r.begin(&e, w.constants)
	r.restore(&record{})
	for i := range fields {
		r.add(&fields[i])
	}
	r.finish()
	return bytes.Clone(r.buf)
}

// output sends records over one socket.
type output struct {
	path   string
	socket socket
	dialed time.Time
}

// Send sends a record, and reconnects if necessary.
func (o *output) Send(b []byte) (int, queue.Outcome) {
	outcome := o.socket.send(b)
	if outcome == queue.Gone {
		if now := time.Now(); now.Sub(o.dialed) >= redialEvery {
			o.dialed = now
			if o.socket.connect(o.path) == nil {
				outcome = o.socket.send(b)
			}
		}
	}
	return 0, outcome
}

// Wait waits for room in the socket.
func (o *output) Wait(after queue.Outcome, d time.Duration) { o.socket.wait(after, d) }

// Unread returns how many bytes journald has not read.
func (o *output) Unread() int { return o.socket.unread() }

// Close closes the socket.
func (o *output) Close() error {
	o.socket.close()
	return nil
}
