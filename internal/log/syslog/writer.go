package syslog

import (
	"errors"
	"sync"
	"time"

	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/logtext"
	"github.com/go-glidepath/glidepath/internal/log/queue"
)

// redialEvery is how often a syslogd that is gone is looked for.
const redialEvery = time.Second

// writer makes messages of records and sends them.
type writer struct {
	text  logtext.Text
	pool  sync.Pool // of *wire
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

// write sends a record, whose lines these are.
func (w *writer) write(e zapcore.Entry, lines []byte, own bool) {
	m, _ := w.pool.Get().(*wire)
	w.queue.Write(m.record(e, lines), e.Time, own)
	w.pool.Put(m)
}

// encode makes the messages of a record.
func (w *writer) encode(e zapcore.Entry, fields []zapcore.Field) (messages []byte) {
	m, _ := w.pool.Get().(*wire)
	w.text.Encode(e, fields, func(lines []byte) { messages = append(messages, m.record(e, lines)...) })
	w.pool.Put(m)
	return messages
}

// output sends messages over one connection, of which a newline is the end of each.
type output struct {
	sockets []string
	conn    connection
	dialed  time.Time
	within  bool // a stream has the beginning of a message, and not its end
}

// Send sends the messages of a record, over a new connection if there has to be one.
func (o *output) Send(b []byte) (int, queue.Outcome) {
	n, outcome := o.send(b)
	if outcome != queue.Gone || time.Since(o.dialed) < redialEvery || o.dial() != nil {
		return n, outcome
	}
	if o.within { // of the rest the new connection would make a message
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

// dial connects to the first socket that somebody listens at.
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

// Unread returns 0: what was taken is in the socket, and stays there.
func (o *output) Unread() int { return 0 }

// Close closes the connection.
func (o *output) Close() error { return o.conn.close() }
