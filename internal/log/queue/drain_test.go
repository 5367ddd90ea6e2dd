package queue

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestDrain_WaitsWhileTheReaderReads(t *testing.T) {
	both(t, func(t *testing.T, blocking bool) {
		r := &reader{pace: 400 * time.Millisecond, blocking: blocking}
		q := open(t, r)
		write(q, 0, 50)
		begun := time.Now()
		shut(t, q)
		if got, _ := numbers(t, r.lines()); len(got) != 50 || time.Since(begun) < 15*time.Second {
			t.Errorf("%d records after %s", len(got), time.Since(begun))
		}
	})
}

func TestDrain_WaitsUntilSentRecordsAreRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{pace: 400 * time.Millisecond}
		q := open(t, r)
		for range capacity / 5 {
			q.Write([]byte("sent\n"), time.Now(), false)
		}
		if n := q.Waiting(); n != 0 {
			t.Fatalf("%d records wait", n)
		}
		if err := q.Drain(t.Context()); err != nil || r.Unread() != 0 {
			t.Errorf("%v, %d bytes are not read", err, r.Unread())
		}
		shut(t, q)
	})
}

func TestDrain_GivesUpOnAHangingReaderAndReportsLosses(t *testing.T) {
	both(t, func(t *testing.T, blocking bool) {
		const records = 100
		r := &reader{pace: time.Microsecond, blocking: blocking, hung: true}
		q := open(t, r)
		write(q, 0, records)
		begun := time.Now()
		err := q.Drain(t.Context())
		if took := time.Since(begun); err == nil || took < Stall-longest || took > Stall+2*lookEvery {
			t.Errorf("%v after %s", err, took)
		}
		lost := q.Lost()
		if lost == 0 || q.Untold() != lost {
			t.Errorf("%d lost, %d untold", lost, q.Untold())
		}
		q.Write([]byte("stopped\n"), time.Now(), true)
		r.set(func() { r.hung = false }) // the reader is back
		if err := q.Close(t.Context()); err != nil || q.Untold() != 0 {
			t.Errorf("Close: %v, %d untold", err, q.Untold())
		}
		lines := r.lines()
		got, told := numbers(t, lines)
		if n := len(lines); lines[n-1] != "stopped" || !strings.Contains(lines[n-2], "lost") || len(got)+told != records || uint64(told) != lost {
			t.Errorf("%d records, %d told, %d lost, at the end %q", len(got), told, lost, lines[max(0, n-2):])
		}
	})
}

func TestClose_ErrorReportsUntoldLosses(t *testing.T) {
	both(t, func(t *testing.T, blocking bool) {
		r := &reader{pace: time.Microsecond, blocking: blocking, hung: true}
		q := open(t, r)
		write(q, 0, 100)
		if err := q.Drain(t.Context()); err == nil {
			t.Error("Drain has no error")
		}
		q.Write([]byte("stopped\n"), time.Now(), true)
		begun := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := q.Close(ctx)
		want := fmt.Sprintf("%d log records were lost: the reader did not take them in time: ", q.Lost())
		if err == nil || !strings.HasPrefix(err.Error(), want) || q.Untold() != q.Lost() || q.Lost() < 99 {
			t.Errorf("Close: %v, want %s…", err, want)
		}
		if took := time.Since(begun); !blocking && took > 2*lookEvery {
			t.Errorf("it was waited for again: %s", took)
		}
		lost := q.Lost()
		write(q, 0, 10)
		if err := q.Close(t.Context()); err != nil || q.Lost() != lost {
			t.Errorf("after Close: %v, %d lost", err, q.Lost())
		}
		r.set(func() { r.hung = false })
		synctest.Wait()
		if !blocking && r.late != 0 || !r.closed {
			t.Errorf("%d calls after Close, closed: %t", r.late, r.closed)
		}
	})
}

func TestClose_EndsWithoutADeadline(t *testing.T) {
	both(t, func(t *testing.T, blocking bool) {
		r := &reader{pace: time.Microsecond, blocking: blocking, hung: true}
		q := open(t, r)
		write(q, 0, 10)
		begun := time.Now()
		if err := q.Close(context.Background()); err == nil || time.Since(begun) > Stall+2*lookEvery {
			t.Errorf("%v after %s", err, time.Since(begun))
		}
		r.set(func() { r.hung = false })
		synctest.Wait()
		if !r.closed {
			t.Error("the output is open")
		}
	})
}

func TestDrain_EndsWithItsContext(t *testing.T) {
	both(t, func(t *testing.T, blocking bool) {
		r := &reader{pace: 100 * time.Millisecond, blocking: blocking}
		q := open(t, r)
		write(q, 0, 1000)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		begun := time.Now()
		if err := q.Drain(ctx); err == nil || time.Since(begun) > 3*time.Second+lookEvery || q.Lost() == 0 {
			t.Errorf("%v after %s, %d lost", err, time.Since(begun), q.Lost())
		}
		if err := q.Close(t.Context()); err != nil {
			t.Errorf("it reads on, and Close has %v", err)
		}
		if got, told := numbers(t, r.lines()); len(got)+told != 1000 {
			t.Errorf("%d records and %d that are lost", len(got), told)
		}
	})
}

func TestDrain_EndsWhileTheProgramLogsFasterThanTheReaderReads(t *testing.T) {
	both(t, func(t *testing.T, blocking bool) {
		r := &reader{pace: time.Millisecond, blocking: blocking}
		q := open(t, r)
		q.backlog.limit = 100_000
		write(q, 0, 1000)
		stop := make(chan struct{})
		var logging sync.WaitGroup
		logging.Go(func() {
			for i := 1000; ; i++ {
				select {
				case <-stop:
					return
				default:
					write(q, i, i+1)
					<-time.After(time.Microsecond)
				}
			}
		})
		begun := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := q.Drain(ctx); err != nil || time.Since(begun) > 10*time.Second {
			t.Errorf("%v after %s", err, time.Since(begun))
		}
		if err := q.Close(ctx); err != nil {
			t.Error(err)
		}
		close(stop)
		logging.Wait()
	})
}

func TestDrain_EndsAPartialRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReader(&reader{chunk: 7})
		q := New(Options{Output: r, Reader: "the reader", Encode: encode, End: []byte("\n")})
		r.set(func() { r.hung = true })
		write(q, 0, 1)
		q.mu.Lock()
		r.set(func() { r.hung = false })
		n, o := r.Send(q.backlog.head().b) // sends a part of it
		r.set(func() { r.hung = true })
		q.settled(&q.backlog, n, o)
		q.mu.Unlock()
		if err := q.Drain(t.Context()); err == nil {
			t.Error("Drain has no error")
		}
		q.Write([]byte("stopped\n"), time.Now(), true)
		r.set(func() { r.hung, r.chunk = false, 0 })
		if err := q.Close(t.Context()); err != nil {
			t.Error(err)
		}
		want := []string{"0 xxxxx", "1 log record was lost: the reader did not take it in time event=records lost lost=1 lost_in_all=1", "stopped"}
		if got := r.lines(); !slices.Equal(got, want) {
			t.Errorf("got %q", got)
		}
	})
}

func TestSync_WaitsForAHangingReaderOnce(t *testing.T) {
	both(t, func(t *testing.T, blocking bool) {
		r := &reader{pace: time.Microsecond, blocking: blocking, hung: true}
		q := open(t, r)
		write(q, 0, 10)
		for i, want := range []time.Duration{syncTimeout, moment, moment} {
			begun := time.Now()
			err := q.Sync()
			if took := time.Since(begun); err == nil || took > want+2*askEvery || took < want-longest {
				t.Errorf("Sync number %d: %v after %s, want %s", i, err, took, want)
			}
		}
		begun := time.Now()
		if err := q.Drain(t.Context()); err == nil || time.Since(begun) > Stall-syncTimeout+2*lookEvery {
			t.Errorf("Drain: %v after %s: it has hung before", err, time.Since(begun))
		}
		r.set(func() { r.hung = false })
		shut(t, q)
	})
}

func TestClose_ReturnsPromptlyIfEverythingIsTaken(t *testing.T) {
	both(t, func(t *testing.T, blocking bool) {
		r := &reader{pace: 50 * time.Microsecond, blocking: blocking}
		q := open(t, r)
		write(q, 0, 1)
		begun := time.Now()
		shut(t, q)
		if took := time.Since(begun); took > 200*time.Microsecond {
			t.Errorf("it took %s", took)
		}
	})
}
