package queue

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap/zapcore"
)

// reader implements Output with a reader that reads at a given pace. It has room for 100
// bytes that are not read yet. Each record ends with a newline.
type reader struct {
	pace     time.Duration // the time per read; if 0, it reads what is sent at once
	chunk    int           // how many bytes of a record it takes at once, 0 for all
	blocking bool          // Send waits for room

	mu      sync.Mutex
	changed sync.Cond
	hung    bool
	gone    bool
	closed  bool
	late    int // counts calls after Close
	sent    []byte
	got     []byte
}

const capacity = 100

func newReader(r *reader) *reader {
	r.changed.L = &r.mu
	return r
}

func (r *reader) Send(b []byte) (int, Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.blocking && (r.hung || len(r.sent) >= capacity) && !r.gone {
		r.changed.Wait()
	}
	switch {
	case r.closed:
		r.late++
		return 0, Refused
	case r.gone:
		return 0, Gone
	case strings.HasPrefix(string(b), "refuse"):
		return 0, Refused
	case len(r.sent) >= capacity, r.hung && r.pace == 0:
		return 0, Full
	}
	n := len(b)
	if r.chunk > 0 {
		n = min(n, r.chunk)
	}
	if r.pace == 0 {
		r.got = append(r.got, b[:n]...)
	} else {
		r.sent = append(r.sent, b[:n]...)
		r.changed.Broadcast()
	}
	if n < len(b) {
		return n, Full
	}
	return n, Taken
}

func (r *reader) Wait(after Outcome, d time.Duration) {
	until := time.Now().Add(d)
	for after == Full && time.Now().Before(until) {
		r.mu.Lock()
		ready := len(r.sent) < capacity && !r.hung
		r.mu.Unlock()
		if ready {
			return
		}
		<-time.After(min(100*time.Microsecond, time.Until(until)))
	}
	<-time.After(time.Until(until))
}

func (r *reader) Unread() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.sent)
}

func (r *reader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	return nil
}

// read reads until the test ends.
func (r *reader) read(t *testing.T) {
	if r.pace == 0 {
		return
	}
	var done sync.WaitGroup
	over := false
	done.Go(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		for !over {
			if r.hung || len(r.sent) == 0 {
				r.changed.Wait()
				continue
			}
			r.mu.Unlock()
			<-time.After(r.pace)
			r.mu.Lock()
			line := bytes.IndexByte(r.sent, '\n') + 1
			if line == 0 {
				line = len(r.sent)
			}
			if r.hung {
				continue
			}
			r.got = append(r.got, r.sent[:line]...)
			r.sent = r.sent[line:]
			r.changed.Broadcast()
		}
	})
	t.Cleanup(func() {
		r.set(func() { over = true })
		done.Wait()
	})
}

// set changes the reader.
func (r *reader) set(change func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change()
	r.changed.Broadcast()
}

// lines returns the lines that the reader has read.
func (r *reader) lines() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Split(strings.TrimSuffix(string(r.got)+string(r.sent), "\n"), "\n")
}

// encode encodes a report about losses.
func encode(e zapcore.Entry, fields []zapcore.Field) []byte {
	b := []byte(e.Message)
	for _, f := range fields {
		switch f.Type {
		case zapcore.Uint64Type:
			b = fmt.Appendf(b, " %s=%d", f.Key, f.Integer)
		default:
			b = fmt.Appendf(b, " %s=%v", f.Key, f.Interface)
		}
	}
	return append(b, '\n')
}

func open(t *testing.T, r *reader) *Queue {
	t.Helper()
	r = newReader(r)
	r.read(t)
	return New(Options{Output: r, Reader: "the reader", Encode: encode, Blocking: r.blocking, End: []byte("\n")})
}

// fill makes a record 100 bytes longer.
var fill = " " + strings.Repeat("x", 99)

// write logs numbered records.
func write(q *Queue, from, to int) {
	for i := from; i < to; i++ {
		q.Write([]byte(strconv.Itoa(i)+fill+"\n"), time.Now(), false)
	}
}

// numbers returns the numbers of the records that arrived, and how many losses RecordsLost
// records report. It fails if the records are out of order, or if some are missing that no
// RecordsLost record reports there or later.
func numbers(t *testing.T, lines []string) (got []int, told int) {
	t.Helper()
	last := -1
	for _, line := range lines {
		if n, _, ok := strings.Cut(line, " log record"); ok {
			lost, err := strconv.Atoi(n)
			if told += lost; err != nil || !strings.Contains(line, "event=records lost lost="+n+" lost_in_all="+strconv.Itoa(told)) {
				t.Errorf("got %q after %d were told", line, told-lost)
			}
			continue
		}
		n, found := strings.CutSuffix(line, fill)
		i, err := strconv.Atoi(n)
		if !found {
			continue
		}
		if err != nil || i <= last {
			t.Fatalf("%.20q comes after %d", line, last)
		}
		last = i
		got = append(got, i)
	}
	return got, told
}
