package queue

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// both runs a test with a blocking output and one that does not block.
func both(t *testing.T, f func(t *testing.T, blocking bool)) {
	t.Helper()
	for _, blocking := range []bool{false, true} {
		t.Run(fmt.Sprintf("blocking=%t", blocking), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { f(t, blocking) })
		})
	}
}

// shut closes the queue, and fails if records were lost.
func shut(t *testing.T, q *Queue) {
	t.Helper()
	if err := q.Drain(t.Context()); err != nil {
		t.Errorf("Drain: %v", err)
	}
	if err := q.Close(t.Context()); err != nil {
		t.Errorf("Close: %v", err)
	}
	q.Write([]byte("after Close\n"), time.Now(), false)
	if r, ok := q.Output.(*reader); ok && r.late > 0 {
		t.Error("a record was sent after Close")
	}
}

func TestWrite_LosesNothingAtAnyPaceOfTheReader(t *testing.T) {
	for name, pace := range map[string]time.Duration{"at once": 0, "fast": time.Microsecond, "slow": time.Millisecond, "very slow": 40 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, blocking bool) {
				const records = 2000
				r := &reader{pace: pace, blocking: blocking}
				q := open(t, r)
				write(q, 0, records)
				shut(t, q)
				if got, _ := numbers(t, r.lines()); len(got) != records || q.Lost() != 0 {
					t.Errorf("%d of %d records, %d lost", len(got), records, q.Lost())
				}
			})
		})
	}
}

func TestWrite_BacklogHoldsRecordsWhileTheReaderPauses(t *testing.T) {
	both(t, func(t *testing.T, blocking bool) {
		const records = 15_000 // logged at once; each takes 100 bytes and the overhead
		r := &reader{pace: time.Microsecond, blocking: blocking, hung: true}
		q := open(t, r)
		time.AfterFunc(500*time.Millisecond, func() { r.set(func() { r.hung = false }) })
		write(q, 0, records)
		shut(t, q)
		if got, _ := numbers(t, r.lines()); len(got) != records || q.Lost() != 0 {
			t.Errorf("%d of %d records, %d lost", len(got), records, q.Lost())
		}
	})
}

func TestWrite_HangingReaderDelaysNoCallAndBoundsMemory(t *testing.T) {
	both(t, func(t *testing.T, blocking bool) {
		const records = 60_000
		r := &reader{pace: time.Microsecond, blocking: blocking, hung: true}
		q := open(t, r)
		begun := time.Now()
		var longestCall time.Duration
		for i := range records {
			call := time.Now()
			write(q, i, i+1)
			longestCall = max(longestCall, time.Since(call))
		}
		if took := time.Since(begun); took > 2*longest || longestCall > longest+patience {
			t.Errorf("the calls took %s, the longest %s", took, longestCall)
		}
		memory := 0
		for _, l := range []*lane{&q.own, &q.backlog} {
			for _, it := range l.items[l.first:] {
				memory += cap(it.b) + overhead
			}
		}
		if lost := q.Lost(); lost == 0 || memory > Backlog+Lane || memory < Backlog*9/10 {
			t.Errorf("%d lost, %d bytes are kept", lost, memory)
		}
		r.set(func() { r.hung = false })
		shut(t, q)
		got, told := numbers(t, r.lines())
		if len(got)+told != records || uint64(told) != q.Lost() || q.Untold() != 0 {
			t.Errorf("%d records and %d that are lost, of %d", len(got), told, records)
		}
	})
}

func TestWrite_ReportsLossesWhereRecordsAreMissing(t *testing.T) {
	both(t, func(t *testing.T, blocking bool) {
		r := &reader{pace: time.Microsecond, blocking: blocking, hung: true}
		q := open(t, r)
		write(q, 0, 60_000)
		r.set(func() { r.hung = false })
		<-time.After(10 * time.Second)
		write(q, 60_000, 60_001)
		shut(t, q)
		lines := r.lines()
		if n := len(lines); !strings.Contains(lines[n-2], "log records were lost: the reader did not take them in time") || !strings.HasPrefix(lines[n-1], "60000 ") {
			t.Errorf("the last lines are %.100q", lines[n-2:])
		}
	})
}

func TestWrite_ReportsContinuingLossesOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{pace: time.Millisecond}
		q := open(t, r)
		q.backlog.limit = 20_000
		const seconds = 10
		stop := make(chan struct{})
		time.AfterFunc(seconds*time.Second, func() { close(stop) })
		pauses := time.NewTicker(400 * time.Millisecond)
		defer pauses.Stop()
		n := 0
	log:
		for {
			select {
			case <-stop:
				break log
			case <-pauses.C:
				r.set(func() { r.hung = true })
				write(q, n, n+300)
				n += 300
				<-time.After(2 * longest)
				r.set(func() { r.hung = false })
			default:
				<-time.After(time.Microsecond)
				write(q, n, n+10) // so the backlog is never empty
				n += 10
			}
		}
		shut(t, q)
		lines := r.lines()
		got, told := numbers(t, lines)
		if len(got)+told != n || told == 0 {
			t.Errorf("%d records and %d that are lost, of %d", len(got), told, n)
		}
		times := 0
		for _, line := range lines {
			if strings.Contains(line, " log record") {
				times++
			}
		}
		if times < seconds-2 || times > seconds+2 {
			t.Errorf("it was told %d times in %d s", times, seconds)
		}
	})
}

func TestWrite_KeepsOwnRecordsAndSendsThemFirst(t *testing.T) {
	both(t, func(t *testing.T, blocking bool) {
		r := &reader{pace: time.Microsecond, blocking: blocking, hung: true}
		q := open(t, r)
		write(q, 0, 60_000)
		lost := q.Lost()
		q.Write([]byte("stopping\n"), time.Now(), true)
		if lost == 0 || q.Lost() != lost {
			t.Errorf("%d lost, then %d", lost, q.Lost())
		}
		r.set(func() { r.hung = false })
		shut(t, q)
		lines := r.lines()
		if i := slices.Index(lines, "stopping"); i < 0 || i > 2 {
			t.Errorf("it is line %d", i)
		}
		if last := lines[len(lines)-1]; !strings.Contains(last, " log records were lost") {
			t.Errorf("the losses are told too early: the last line is %.20q", last)
		}
	})
}

func TestWrite_BoundsOwnRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{pace: time.Microsecond, hung: true}
		q := open(t, r)
		large := []byte(strings.Repeat("x", Lane+1) + "\n")
		for range 100 {
			q.Write(large, time.Now(), true)
		}
		if q.own.len() != 1 || q.own.size+q.backlog.size > Lane+1+overhead+Backlog+8192 || q.Lost() == 0 {
			t.Errorf("%d and %d bytes wait, %d lost", q.own.size, q.backlog.size, q.Lost())
		}
		r.set(func() { r.hung = false })
		shut(t, q)
	})
}

func TestWrite_NeverInterruptsAPartialRecord(t *testing.T) {
	both(t, func(t *testing.T, blocking bool) {
		r := &reader{pace: time.Microsecond, chunk: 7, blocking: blocking}
		q := open(t, r)
		for i := range 200 {
			write(q, i, i+1)
			q.Write([]byte("own\n"), time.Now(), true)
		}
		shut(t, q)
		lines := r.lines()
		for _, line := range lines {
			if line != "own" && !strings.HasSuffix(line, fill) {
				t.Fatalf("got %q", line)
			}
		}
		if len(lines) != 400 {
			t.Errorf("%d lines", len(lines))
		}
	})
}

func TestWrite_SendsWhenAMissingReaderReturns(t *testing.T) {
	both(t, func(t *testing.T, blocking bool) {
		r := &reader{pace: time.Microsecond, blocking: blocking}
		q := open(t, r)
		write(q, 0, 1)
		r.set(func() { r.gone = true })
		begun := time.Now()
		write(q, 1, 2)
		if took := time.Since(begun); took > patience {
			t.Errorf("the first call took %s", took)
		}
		write(q, 2, 100)
		<-time.After(time.Minute)
		r.set(func() { r.gone = false })
		<-time.After(2 * retryEvery)
		if got, _ := numbers(t, r.lines()); len(got) != 100 || q.Lost() != 0 {
			t.Errorf("%d records, %d lost", len(got), q.Lost())
		}
		shut(t, q)
	})
}

func TestWrite_LosesOnlyTheRefusedRecord(t *testing.T) {
	both(t, func(t *testing.T, blocking bool) {
		r := &reader{pace: time.Microsecond, blocking: blocking}
		q := open(t, r)
		q.Write([]byte("refuse me\n"), time.Now(), false)
		synctest.Wait()
		write(q, 0, 1)
		shut(t, q)
		if got, told := numbers(t, r.lines()); len(got) != 1 || told != 1 || q.Lost() != 1 {
			t.Errorf("got %q, %d lost", r.lines(), q.Lost())
		}
	})
}

func TestWrite_ConcurrentWithClose(t *testing.T) {
	for _, blocking := range []bool{false, true} {
		r := newReader(&reader{blocking: blocking, chunk: 50})
		q := New(Options{Output: r, Reader: "the reader", Encode: encode, Blocking: blocking, End: []byte("\n")})
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for i := range 500 {
					q.Write([]byte("record\n"), time.Now(), i%10 == 0)
					if i%100 == 0 {
						_ = q.Sync()
						_ = q.Lost()
					}
				}
			})
		}
		all.Go(func() { _ = q.Drain(t.Context()) })
		all.Wait()
		if err := q.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if n := len(r.lines()); n != 2000 || q.Lost() != 0 || !r.closed {
			t.Errorf("%d records, %d lost", n, q.Lost())
		}
	}
}

// silent implements Output. It takes every record.
type silent struct{}

func (silent) Send(b []byte) (int, Outcome) { return len(b), Taken }
func (silent) Wait(Outcome, time.Duration)  {}
func (silent) Unread() int                  { return 0 }
func (silent) Close() error                 { return nil }

func TestWrite_AllocatesNothing(t *testing.T) {
	for _, blocking := range []bool{false, true} {
		q := New(Options{Output: silent{}, Reader: "the reader", Encode: encode, Blocking: blocking})
		b, now := []byte(strings.Repeat("x", 200)), time.Now()
		if n := testing.AllocsPerRun(1000, func() { q.Write(b, now, false) }); n >= 1 {
			t.Errorf("blocking=%t: %v allocations", blocking, n)
		}
		shut(t, q)
	}
}

func BenchmarkWrite(b *testing.B) {
	q := New(Options{Output: silent{}, Reader: "the reader", Encode: encode})
	record, now := []byte(strings.Repeat("x", 200)), time.Now()
	b.ReportAllocs()
	for b.Loop() {
		q.Write(record, now, false)
	}
}
