package eventlog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/log/logevent"
	"github.com/go-glidepath/glidepath/internal/log/queue"
)

func TestCore_Level(t *testing.T) {
	f := newFake(t)
	level := zap.NewAtomicLevelAt(zap.WarnLevel)
	c := open(t, f, level)
	log := zap.New(c)
	log.Info("not yet")
	level.SetLevel(zap.InfoLevel)
	log.Named("sub").With(zap.Int("a", 1)).Info("now")
	if all := f.taken(); len(all) != 1 || all[0].text() != "sub: now\n    a: 1" {
		t.Errorf("got %q", all)
	}
	if c.Level() != zap.InfoLevel {
		t.Errorf("the level is %v", c.Level())
	}
	if err := errors.Join(log.Sync(), c.Close(t.Context()), c.Close(t.Context()), log.Sync()); err != nil {
		t.Error(err)
	}
	log.Info("after Close")
	if len(f.handles) != 0 || len(f.sources) != 1 || f.sources[0] != "web" || len(f.taken()) != 1 || c.Lost() != 0 {
		t.Errorf("open: %v, registered: %q, %d records, %d lost", f.handles, f.sources, len(f.taken()), c.Lost())
	}
}

func TestNew_FailsWithoutAHandle(t *testing.T) {
	f := newFake(t)
	f.gone = true
	if w, err := newWriter(f, "web"); w != nil || !errors.Is(err, errUnavailable) {
		t.Errorf("got %v, %v", w, err)
	}
}

func TestNew_ReturnsWhileTheEventLogHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		f.hang = make(chan struct{})
		begun := time.Now()
		if w, err := newWriter(f, "web"); w != nil || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v, %v", w, err)
		}
		if took := time.Since(begun); took != openTimeout {
			t.Errorf("it took %v", took)
		}
		close(f.hang)
		synctest.Wait()
		if len(f.handles) != 0 {
			t.Errorf("open: %v", f.handles)
		}
	})
}

func TestWrite_HangingEventLogDelaysNoCallAndLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		c := open(t, f, zap.DebugLevel)
		write(t, c, zap.InfoLevel, "before")
		f.hang = make(chan struct{})
		begun := time.Now()
		write(t, c, zap.InfoLevel, "in the call")
		if took := time.Since(begun); took == 0 || took > 100*time.Millisecond {
			t.Errorf("the first call took %v", took)
		}
		begun = time.Now()
		for range 1000 {
			write(t, c, zap.InfoLevel, "waits")
		}
		write(t, c, zap.InfoLevel, "stopping", logevent.Stopping.Field())
		if took := time.Since(begun); took != 0 || c.Lost() != 0 {
			t.Errorf("those after it took %v, %d lost", took, c.Lost())
		}
		close(f.hang)
		f.set(func() { f.hang = nil })
		c.shut(t)
		all := f.taken()
		if len(all) != 1003 || all[1].text() != "in the call" || all[2].id != uint32(logevent.Stopping) || all[3].text() != "waits" {
			t.Errorf("got %d records, %v", len(all), all[:min(4, len(all))])
		}
	})
}

func TestWrite_ReportsLossesWhereRecordsAreMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		c := open(t, f, zap.DebugLevel)
		f.hang = make(chan struct{})
		const records = 1000
		for range records {
			write(t, c, zap.InfoLevel, "m", zap.String("fill", strings.Repeat("x", 10_000)))
		}
		lost := c.Lost()
		if lost == 0 {
			t.Fatal("nothing is lost")
		}
		close(f.hang)
		f.set(func() { f.hang = nil })
		if err := c.Drain(t.Context()); err != nil {
			t.Error(err)
		}
		write(t, c, zap.InfoLevel, "after")
		c.shut(t)
		all := f.taken()
		want := fmt.Sprintf("%d log records were lost: the Event Log did not take them in time\n    lost: %d\n    lost_in_all: %d", lost, lost, lost)
		if n := len(all); n != records-int(lost)+2 || all[n-1].text() != "after" || all[n-2].text() != want ||
			all[n-2].id != uint32(logevent.RecordsLost) || all[n-2].kind != typeWarning || c.Untold() != 0 {
			t.Errorf("%d records, %d lost, at the end %.200v", n, lost, all[max(0, n-2):])
		}
	})
}

// A goroutine that waits for a mutex would stop the clock of synctest.
func TestWrite_ConcurrentCallsWaitNoLongerThanOne(t *testing.T) {
	f := newFake(t)
	c := open(t, f, zap.DebugLevel)
	f.hang = make(chan struct{})
	begun := time.Now()
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() { write(t, c, zap.InfoLevel, "m") })
	}
	all.Wait()
	if took := time.Since(begun); took > 2*time.Second || c.Lost() != 0 {
		t.Errorf("they took %v, %d lost", took, c.Lost())
	}
	close(f.hang)
	c.shut(t)
	if n := len(f.taken()); n != 50 {
		t.Errorf("%d records", n)
	}
}

func TestWrite_WaitsLongerAtPanicLevel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		c := open(t, f, zap.DebugLevel)
		f.hang = make(chan struct{})
		time.AfterFunc(200*time.Millisecond, func() { close(f.hang) })
		write(t, c, zap.PanicLevel, "m")
		if all := f.taken(); len(all) != 1 {
			t.Errorf("got %v", all)
		}
		c.shut(t)
	})
}

func TestWrite_RetriesAndLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		c := open(t, f, zap.DebugLevel)
		f.set(func() { f.gone = true })
		for range 100 {
			write(t, c, zap.InfoLevel, "m")
		}
		time.Sleep(time.Minute)
		f.restart()
		time.Sleep(time.Second)
		if n := len(f.taken()); n != 100 || c.Lost() != 0 || len(f.handles) != 1 {
			t.Errorf("%d records, %d lost, open: %v", n, c.Lost(), f.handles)
		}
		if f.calls > 200 {
			t.Errorf("it was called %d times", f.calls)
		}
		c.shut(t)
		if len(f.handles) != 0 {
			t.Errorf("open: %v", f.handles)
		}
	})
}

func TestWrite_OpensANewHandleAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		c := open(t, f, zap.DebugLevel)
		f.restart()
		write(t, c, zap.InfoLevel, "m")
		if all := f.taken(); len(all) != 1 || len(f.sources) != 2 || c.Lost() != 0 {
			t.Errorf("got %v, registered %d times, %d lost", all, len(f.sources), c.Lost())
		}
		c.shut(t)
	})
}

func TestWrite_LosesOnlyTheRefusedRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		c := open(t, f, zap.DebugLevel)
		f.refuse = errors.New("the parameter is incorrect")
		write(t, c, zap.InfoLevel, "refused")
		synctest.Wait()
		write(t, c, zap.InfoLevel, "next")
		all := f.taken()
		if len(all) != 2 || all[0].id != uint32(logevent.RecordsLost) || all[1].text() != "next" || c.Lost() != 1 || len(f.sources) != 1 {
			t.Errorf("got %v, %d lost, registered %d times", all, c.Lost(), len(f.sources))
		}

		// A report that is refused is not repeated for ever.
		f.set(func() { f.refuseAll = errors.New("the parameter is incorrect") })
		write(t, c, zap.InfoLevel, "refused")
		synctest.Wait()
		f.set(func() { f.refuseAll = nil })
		write(t, c, zap.InfoLevel, "last")
		if all := f.taken(); len(all) != 3 || all[2].text() != "last" || c.Lost() != 2 || c.Untold() != 1 {
			t.Errorf("got %v, %d lost, %d untold", all, c.Lost(), c.Untold())
		}
		if err := c.Close(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "1 log record was lost: the Event Log did not take it in time") {
			t.Errorf("Close: %v", err)
		}
	})
}

func TestSync_WaitsAQuarterOfASecondAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		c := open(t, f, zap.DebugLevel)
		f.hang = make(chan struct{})
		write(t, c, zap.InfoLevel, "m")
		begun := time.Now()
		if err := c.Sync(); err == nil || time.Since(begun) > 260*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		close(f.hang)
		synctest.Wait()
		begun = time.Now()
		if err := c.Sync(); err != nil || time.Since(begun) != 0 || len(f.taken()) != 1 {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		c.shut(t)
	})
}

func TestClose_EndsWithItsContextAndTheGoroutineWithItsCall(t *testing.T) {
	for name, bound := range map[string]time.Duration{"a second": time.Second, "a tenth": 100 * time.Millisecond, "none left": -1} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t)
				c := open(t, f, zap.DebugLevel)
				f.hang = make(chan struct{})
				write(t, c, zap.InfoLevel, "m")
				ctx, cancel := context.WithTimeout(t.Context(), bound)
				defer cancel()
				begun := time.Now()
				if err := c.Close(ctx); err == nil || !strings.HasPrefix(err.Error(), "1 log record was lost: the Event Log did not take it in time: ") {
					t.Errorf("got %v", err)
				}
				if took := time.Since(begun); took > max(0, bound)+30*time.Millisecond {
					t.Errorf("it took %v", took)
				}
				write(t, c, zap.InfoLevel, "after Close")
				if err := errors.Join(c.Sync(), c.Close(ctx)); err != nil || c.Lost() != 1 {
					t.Errorf("%v, %d lost", err, c.Lost())
				}
				close(f.hang)
				synctest.Wait()
				if len(f.handles) != 0 || len(f.taken()) != 1 {
					t.Errorf("open: %v, %d records", f.handles, len(f.taken()))
				}
			})
		})
	}
}

func TestClose_SucceedsWithAnEndedContextIfNothingHangs(t *testing.T) {
	f := newFake(t)
	c := open(t, f, zap.DebugLevel)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Close(ctx); err != nil || len(f.handles) != 0 {
		t.Errorf("%v, open: %v", err, f.handles)
	}
}

func TestWrite_Concurrent(t *testing.T) {
	f := newFake(t)
	c := open(t, f, zap.DebugLevel)
	log := zap.New(c)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			own := log.With(zap.Int("i", i))
			for range 100 {
				own.Info("m", zap.String("k", strings.Repeat("v", i)))
				_ = c.Lost()
			}
		})
	}
	all.Wait()
	c.shut(t)
	counts := make(map[string]int)
	for _, e := range f.taken() {
		counts[e.text()]++
	}
	if len(counts) != 8 || len(f.taken()) != 800 || c.Lost() != 0 {
		t.Errorf("got %v, %d lost", counts, c.Lost())
	}
}

// quick takes every record.
type quick struct{}

func (quick) register(string) (uintptr, error) { return 1, nil }
func (quick) report(uintptr, *record) error    { return nil }
func (quick) deregister(uintptr) error         { return nil }

func BenchmarkRecord(b *testing.B) {
	w, err := newWriter(quick{}, "web")
	if err != nil {
		b.Fatal(err)
	}
	c := &Core{Sink: queue.NewSink(zap.InfoLevel, w.queue), w: w, form: newForm()}
	defer func() { _ = c.Close(b.Context()) }()
	log := zap.New(c)
	fields := []zap.Field{zap.String("method", "GET"), zap.String("path", "/a%20b"), zap.Int("status", 200)}
	b.ReportAllocs()
	for b.Loop() {
		log.Info("request served", fields...)
	}
}

func TestWrite_AllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Log("the race detector empties pools")
		return
	}
	w, err := newWriter(quick{}, "web")
	if err != nil {
		t.Fatal(err)
	}
	c := &Core{Sink: queue.NewSink(zap.InfoLevel, w.queue), w: w, form: newForm()}
	defer c.shut(t)
	log := zap.New(c.With([]zap.Field{zap.Int("pid", 7)}))
	fields := []zap.Field{zap.String("method", "GET"), zap.String("path", "/a%20b"), zap.Int("status", 200)}
	if n := testing.AllocsPerRun(1000, func() { log.Info("request served", fields...) }); n >= 1 {
		t.Errorf("%v allocations", n)
	}
}
