package eventlog

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/logevent"
)

func TestTheLoggerLogsFromItsLevelOn(t *testing.T) {
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
	if len(f.handles) != 0 || len(f.sources) != 1 || f.sources[0] != "web" || len(f.taken()) != 1 || c.Lost() != 1 {
		t.Errorf("open: %v, registered: %q, %d records, %d lost", f.handles, f.sources, len(f.taken()), c.Lost())
	}
}

func TestWithoutAHandleThereIsNoCore(t *testing.T) {
	f := newFake(t)
	f.gone = true
	if w, err := newWriter(f, "web"); w != nil || !errors.Is(err, errUnavailable) {
		t.Errorf("got %v, %v", w, err)
	}
}

func TestAnEventLogThatHangsAtTheStartHoldsUpNobody(t *testing.T) {
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

func TestAnEventLogThatHangsHoldsUpOneCallAndHearsWhatIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		c := open(t, f, zap.DebugLevel)
		write(t, c, zap.InfoLevel, "before")
		f.hang = make(chan struct{})
		begun := time.Now()
		write(t, c, zap.InfoLevel, "in the call")
		if took := time.Since(begun); took != patience {
			t.Errorf("the first call took %v", took)
		}
		begun = time.Now()
		for range 1000 {
			write(t, c, zap.InfoLevel, "lost")
		}
		write(t, c, zap.PanicLevel, "lost")
		if took := time.Since(begun); took != 0 || c.Lost() != 1001 {
			t.Errorf("those after it took %v, %d lost", took, c.Lost())
		}
		close(f.hang)
		f.set(func() { f.hang = nil })
		synctest.Wait()
		write(t, c, zap.InfoLevel, "after")
		want := []string{
			"before", "in the call",
			"records of the log are lost: the Event Log did not take them\n    records: 1001", "after",
		}
		all := f.taken()
		for i, w := range want {
			if i >= len(all) || all[i].text() != w {
				t.Fatalf("got %q", all)
			}
		}
		if notice := all[2]; len(all) != len(want) || notice.id != uint32(logevent.RecordsLost) || notice.kind != typeWarning {
			t.Errorf("got %v", all)
		}
		write(t, c, zap.InfoLevel, "once")
		if c.Lost() != 1001 || len(f.taken()) != 5 {
			t.Errorf("%d lost, %d records", c.Lost(), len(f.taken()))
		}
		f.refuse = errors.New("the parameter is incorrect")
		write(t, c, zap.InfoLevel, "lost")
		write(t, c, zap.InfoLevel, "last")
		if all := f.taken(); len(all) != 7 || !strings.HasSuffix(all[5].text(), "records: 1") {
			t.Errorf("got %v", all)
		}
		c.shut(t)
	})
}

// Who waits for a mutex keeps the clock of synctest from going on.
func TestThoseWhoLogAtOnceWaitNoLongerThanOne(t *testing.T) {
	f := newFake(t)
	c := open(t, f, zap.DebugLevel)
	f.hang = make(chan struct{})
	begun := time.Now()
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() { write(t, c, zap.InfoLevel, "m") })
	}
	all.Wait()
	if took := time.Since(begun); took < patience || took > 20*patience || c.Lost() != 49 {
		t.Errorf("they took %v, %d lost", took, c.Lost())
	}
	close(f.hang)
	c.shut(t)
}

func TestTheLastWordsAreWaitedForLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		c := open(t, f, zap.DebugLevel)
		f.hang = make(chan struct{})
		begun := time.Now()
		write(t, c, zap.PanicLevel, "m")
		if took := time.Since(begun); took != syncTimeout {
			t.Errorf("it took %v", took)
		}
		close(f.hang)
		c.shut(t)
	})
}

func TestARecordThatHungAndFailedIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		c := open(t, f, zap.DebugLevel)
		f.hang = make(chan struct{})
		write(t, c, zap.InfoLevel, "m")
		if c.Lost() != 0 {
			t.Errorf("%d lost while it may still be taken", c.Lost())
		}
		f.set(func() { f.gone = true })
		close(f.hang)
		synctest.Wait()
		if c.Lost() != 1 {
			t.Errorf("%d lost", c.Lost())
		}
		c.shut(t)
	})
}

func TestAnEventLogThatIsGoneIsAskedOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		c := open(t, f, zap.DebugLevel)
		f.set(func() { f.gone = true })
		for range 100 {
			write(t, c, zap.InfoLevel, "lost")
		}
		if f.calls != 1 || c.Lost() != 100 {
			t.Errorf("%d calls, %d lost", f.calls, c.Lost())
		}
		time.Sleep(retryEvery)
		write(t, c, zap.InfoLevel, "lost") // it registers in vain
		write(t, c, zap.InfoLevel, "lost")
		if f.calls != 1 || c.Lost() != 102 || len(f.handles) != 0 {
			t.Errorf("%d calls, %d lost, open: %v", f.calls, c.Lost(), f.handles)
		}
		f.restart()
		write(t, c, zap.InfoLevel, "too early")
		if c.Lost() != 103 {
			t.Errorf("%d lost", c.Lost())
		}
		time.Sleep(retryEvery)
		write(t, c, zap.InfoLevel, "again")
		all := f.taken()
		if len(all) != 2 || !strings.HasSuffix(all[0].text(), "records: 103") || all[1].text() != "again" || c.Lost() != 103 {
			t.Errorf("got %v, %d lost", all, c.Lost())
		}
		c.shut(t)
		if len(f.handles) != 0 || len(f.sources) != 2 {
			t.Errorf("open: %v, registered %d times", f.handles, len(f.sources))
		}
	})
}

func TestAServiceThatIsStartedAnewGetsANewHandle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		c := open(t, f, zap.DebugLevel)
		f.restart()
		write(t, c, zap.InfoLevel, "lost")
		time.Sleep(retryEvery)
		write(t, c, zap.InfoLevel, "again")
		if all := f.taken(); len(all) != 2 || c.Lost() != 1 {
			t.Errorf("got %v, %d lost", all, c.Lost())
		}
		c.shut(t)
	})
}

func TestARecordThatIsRefusedIsLostByItself(t *testing.T) {
	f := newFake(t)
	c := open(t, f, zap.DebugLevel)
	f.refuse = errors.New("the parameter is incorrect")
	write(t, c, zap.InfoLevel, "refused")
	write(t, c, zap.InfoLevel, "next")
	all := f.taken()
	if len(all) != 2 || !strings.HasSuffix(all[0].text(), "records: 1") || all[1].text() != "next" || c.Lost() != 1 || len(f.sources) != 1 {
		t.Errorf("got %v, %d lost, registered %d times", all, c.Lost(), len(f.sources))
	}

	// Nor is it told of for ever, if that is refused.
	f.refuse = errors.New("the parameter is incorrect")
	write(t, c, zap.InfoLevel, "refused")
	f.refuse = errors.New("the parameter is incorrect")
	write(t, c, zap.InfoLevel, "next")
	write(t, c, zap.InfoLevel, "last")
	if all := f.taken(); len(all) != 4 || all[2].text() != "next" || all[3].text() != "last" || c.Lost() != 2 {
		t.Errorf("got %v, %d lost", all, c.Lost())
	}
	c.shut(t)
}

func TestSyncWaitsAQuarterOfASecondAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		c := open(t, f, zap.DebugLevel)
		f.hang = make(chan struct{})
		write(t, c, zap.InfoLevel, "m")
		begun := time.Now()
		if err := c.Sync(); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begun) > syncTimeout {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		time.AfterFunc(50*time.Millisecond, func() { close(f.hang) })
		begun = time.Now()
		if err := c.Sync(); err != nil || time.Since(begun) > 60*time.Millisecond || len(f.taken()) != 1 {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		begun = time.Now()
		if err := c.Sync(); err != nil || time.Since(begun) != 0 {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		c.shut(t)
	})
}

func TestCloseEndsWithItsContextAndTheGoroutineWithItsCall(t *testing.T) {
	for name, bound := range map[string]time.Duration{"none": 0, "a second": time.Second, "none left": -1} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t)
				c := open(t, f, zap.DebugLevel)
				f.hang = make(chan struct{})
				write(t, c, zap.InfoLevel, "m")
				ctx, want := t.Context(), syncTimeout
				if bound != 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, bound)
					defer cancel()
					want = max(0, bound)
				}
				begun := time.Now()
				if err := c.Close(ctx); !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("got %v", err)
				}
				if took := time.Since(begun); took != want+moment {
					t.Errorf("it took %v", took)
				}
				write(t, c, zap.InfoLevel, "after Close")
				if err := errors.Join(c.Sync(), c.Close(ctx)); err != nil {
					t.Error(err)
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

func TestCloseSaysWhatIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		c := open(t, f, zap.DebugLevel)
		f.set(func() { f.gone = true })
		write(t, c, zap.InfoLevel, "lost")
		f.restart()
		c.shut(t) // it is told although there was no second
		if all := f.taken(); len(all) != 1 || !strings.HasSuffix(all[0].text(), "records: 1") || len(f.handles) != 0 {
			t.Errorf("got %v, open: %v", all, f.handles)
		}
	})
}

func TestCloseWaitsForWhatIsOnItsWayAndSaysWhatIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		c := open(t, f, zap.DebugLevel)
		f.hang = make(chan struct{})
		write(t, c, zap.InfoLevel, "in the call")
		write(t, c, zap.InfoLevel, "lost")
		time.AfterFunc(50*time.Millisecond, func() { close(f.hang) })
		c.shut(t)
		if all := f.taken(); len(all) != 2 || !strings.HasSuffix(all[1].text(), "records: 1") || len(f.handles) != 0 {
			t.Errorf("got %v, open: %v", all, f.handles)
		}
	})
}

func TestCloseWithAContextThatHasEndedIsInTimeWhereNothingHangs(t *testing.T) {
	f := newFake(t)
	c := open(t, f, zap.DebugLevel)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Close(ctx); err != nil || len(f.handles) != 0 {
		t.Errorf("%v, open: %v", err, f.handles)
	}
}

func TestManyMayLogAtOnce(t *testing.T) {
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

// quick takes everything.
type quick struct{}

func (quick) register(string) (uintptr, error) { return 1, nil }
func (quick) report(uintptr, *record) error    { return nil }
func (quick) deregister(uintptr) error         { return nil }

func BenchmarkRecord(b *testing.B) {
	w, err := newWriter(quick{}, "web")
	if err != nil {
		b.Fatal(err)
	}
	c := &Core{LevelEnabler: zap.InfoLevel, w: w, form: newForm()}
	defer func() { _ = c.Close(b.Context()) }()
	log := zap.New(c)
	fields := []zap.Field{zap.String("method", "GET"), zap.String("path", "/a%20b"), zap.Int("status", 200)}
	b.ReportAllocs()
	for b.Loop() {
		log.Info("request served", fields...)
	}
}

func TestARecordCostsNoAllocation(t *testing.T) {
	if raceEnabled {
		t.Log("the race detector empties pools")
		return
	}
	w, err := newWriter(quick{}, "web")
	if err != nil {
		t.Fatal(err)
	}
	c := &Core{LevelEnabler: zap.InfoLevel, w: w, form: newForm()}
	defer c.shut(t)
	log := zap.New(c.With([]zap.Field{zap.Int("pid", 7)}))
	fields := []zap.Field{zap.String("method", "GET"), zap.String("path", "/a%20b"), zap.Int("status", 200)}
	if n := testing.AllocsPerRun(1000, func() { log.Info("request served", fields...) }); n >= 1 {
		t.Errorf("%v allocations", n)
	}
}
