package syslog

import (
	"errors"
	"sync"
	"time"

	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/logtext"
	"github.com/go-glidepath/glidepath/internal/log/queue"
)

// redialEvery is the interval for reconnecting to a missing syslogd.
const redialEvery = time.Second

// writer encodes records as messages and sends them.
type writer struct {
	text  logtext.Text
	pool  sync.Pool // holds *wire
	out   *output
	queue *queue.Queue
}

func newWriter(sockets []string, tag string, most int) (*writer, error) {
	w := &writer{text: logtext.NewText(), out: &output{sockets: sockets}}
	w.pool.New = func() any { return &wire{tag: tag, most: most} }
	if err := w.out.dial(); err != nil {
		return nil, err
	}
	w.queue = queue.New(queue.Options{Output: w.out, Reader: "syslog", End: []byte{'\n'}, Encode: w.encode})
	return w, nil
}

// write sends a record with these lines.
func (w *writer) write(e zapcore.Entry, lines []byte, own bool) {
	m, _ := w.pool.Get().(*wire)
	w.queue.Write(m.record(e, lines), e.Time, own)
	w.pool.Put(m)
}

// encode encodes a record of the sink itself.
func (w *writer) encode(e zapcore.Entry, fields []zapcore.Field) (messages []byte) {
	m, _ := w.pool.Get().(*wire)
	w.text.Encode(e, fields, func(lines []byte) { messages = append(messages, m.record(e, lines)...) })
	w.pool.Put(m)
	return messages
}

// output sends messages, each ended by a newline, over one connection.
type output struct {
	sockets []string
	conn    connection
	dialed  time.Time
	within  bool // the last message was sent to a stream only in part
}

// Send sends the messages of a record, and reconnects if necessary.
func (o *output) Send(b []byte) (int, queue.Outcome) {
	n, outcome := o.send(b)
	if outcome != queue.Gone || time.Since(o.dialed) < redialEvery || o.dial() != nil {
		return n, outcome
	}
	if o.within { // on a new connection, the rest would look like a message
		o.within = false
		return n, queue.Refused
	}
	m, outcome := o.send(b[n:])
	return n + m, outcome
}

func (o *output) send(b []byte) (int, queue.Outcome) {
	n, outcome := o.conn.send(b)
	if n > 0 {
		o.within = b[n-1] != '\n'
	}
	return n, outcome
}

// dial connects to the first socket that accepts a connection.
func (o *output) dial() error {
	o.dialed = time.Now()
	_ = o.conn.close()
	var errs []error
	for _, path := range o.sockets {
		err := o.conn.dial(path)
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Wait waits for room.
func (o *output) Wait(after queue.Outcome, d time.Duration) {
	if after == queue.Full {
		o.conn.wait(d)
		return
	}
	time.Sleep(d)
}

// Unread returns 0: records that were taken are in the socket and not tracked further.
func (o *output) Unread() int { return 0 }

// Close closes the connection.
func (o *output) Close() error { return o.conn.close() }
