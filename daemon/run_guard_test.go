package daemon

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/runctx"
)

// stuck is a cause whose Error method blocks.
type stuck struct{ end chan struct{} }

func (s stuck) Error() string { <-s.end; return "stuck" }

func TestGuard_EndsARunWhoseLoopIsHeldUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		cause := stuck{make(chan struct{})}
		begun, exits := time.Now(), []string(nil)
		env := host.Env{Exit: func(code int) {
			exits = append(exits, fmt.Sprintf("%d after %s", code, time.Since(begun)))
			if len(exits) == 1 {
				close(cause.end) // a real process would have exited
			}
		}}
		var words strings.Builder
		c, err := Config{Name: "trial", StopTimeout: 2 * time.Second, Logger: zap.NewNop()}.complete(idle{}, place{})
		if err != nil {
			t.Fatal(err)
		}
		r := newRun(ctx, idle{}, c, env)
		r.guard.out = &words
		cancel(cause)
		_ = r.loop()
		if len(exits) == 0 || exits[0] != "124 after 3.5s" {
			t.Errorf("the process exits with %q", exits)
		}
		if want := "<3>trial: the run did not end in time\n"; words.String() != want {
			t.Errorf("its last words are %q, want %q", words.String(), want)
		}
	})
}

func TestGuard_ExitsWithTheResultOnceThatIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var exit int
		g := newGuard("trial", func(code int) { exit = code })
		g.out = &strings.Builder{}
		g.code.Store(1)
		g.set(time.Now().Add(time.Second))
		<-time.After(2 * time.Second)
		synctest.Wait()
		if exit != 1 {
			t.Errorf("it exits with %d", exit)
		}
	})
}

func TestGuard_IsNotPutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, took := time.Now(), time.Duration(0)
		g := newGuard("trial", func(int) { took = time.Since(begun) })
		g.out = &strings.Builder{}
		g.set(begun.Add(2 * time.Second))
		g.set(begun.Add(3 * time.Second))
		<-time.After(time.Hour)
		if synctest.Wait(); took != 2*time.Second {
			t.Errorf("the process exits after %s", took)
		}
	})
}

// slowHost is a host whose Tell blocks while the program is stopping.
type slowHost struct{ by time.Duration }

func (slowHost) Open(host.Run)         {}
func (slowHost) Close(context.Context) {}
func (h slowHost) Tell(s host.Status) {
	if s.Checkpoint == 1 {
		<-time.After(h.by)
	}
}

// givesUpInTime checks that a run of p exits the process after a StopTimeout of 2 s and the grace
// period. It is asked to stop at once; prepare, if not nil, changes the run before.
func givesUpInTime(t *testing.T, p Program, hosts []host.Host, prepare func(*run)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		begun, exits := time.Now(), []time.Duration(nil)
		c, err := Config{Name: "trial", StopTimeout: 2 * time.Second, Logger: zap.NewNop()}.complete(idle{}, place{})
		if err != nil {
			t.Fatal(err)
		}
		r := newRun(ctx, p, c, host.Env{Hosts: hosts, Exit: func(int) { exits = append(exits, time.Since(begun)) }})
		if prepare != nil {
			prepare(r)
		}
		cancel()
		if err := r.loop(); !errors.Is(err, ErrStopTimeout) {
			t.Errorf("the run ends with %v", err)
		}
		if len(exits) != 1 || exits[0] != 3*time.Second {
			t.Errorf("the process exits after %s, want 3s", exits)
		}
		<-time.After(time.Hour)
	})
}

func TestGuard_ALoopThatIsLateForTheDeadlineGivesUpInTime(t *testing.T) {
	hangs := withStop{func(context.Context) error { <-time.After(time.Hour); return nil }}
	givesUpInTime(t, hangs, []host.Host{slowHost{1700 * time.Millisecond}}, nil)
}

func TestRun_KeepsDeadlinesWhileItsContextEnds(t *testing.T) {
	givesUpInTime(t, idle{}, nil, func(r *run) {
		release := r.release
		r.release = func(cause error) { <-time.After(time.Hour); release(cause) } // like waking many goroutines
	})
}

// deaf is a log that accepts nothing until the test ends.
type deaf struct{ zapcore.Core }

func (d deaf) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	return ce.AddCore(e, d)
}
func (deaf) Write(zapcore.Entry, []zapcore.Field) error { <-time.After(time.Hour); return nil }
func (deaf) Sync() error                                { <-time.After(time.Hour); return nil }

func TestGuard_DoesNotEndARunThatEndsByItself(t *testing.T) {
	for name, log := range map[string]*zap.Logger{"log": zap.NewNop(), "log that hangs": zap.New(deaf{zapcore.NewNopCore()})} {
		for how, f := range map[string]func(context.Context) error{
			"stops":       func(context.Context) error { return nil },
			"is given up": func(context.Context) error { <-time.After(time.Hour); return nil },
		} {
			t.Run(how+" with a "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithCancel(t.Context())
					begun, exits := time.Now(), 0
					c, _ := Config{Name: "trial", StopTimeout: 2 * time.Second, Logger: log}.complete(idle{}, place{})
					r := newRun(ctx, withStop{f}, c, host.Env{Exit: func(int) { exits++ }})
					cancel()
					err := r.loop()
					if took := time.Since(begun); took > 3500*time.Millisecond {
						t.Errorf("it took %s", took)
					}
					<-time.After(24 * time.Hour)
					if want := map[bool]int{true: 1}[errors.Is(err, ErrStopTimeout)]; exits != want {
						t.Errorf("the process exited %d times, want %d: %v", exits, want, err)
					}
				})
			})
		}
	}
}

// patient is a host whose Close waits as long as it may.
type patient struct {
	told time.Time     // when it was told the end
	had  time.Duration // the time that Close had
}

func (*patient) Open(host.Run)      {}
func (p *patient) Tell(host.Status) { p.told = time.Now() }
func (p *patient) Close(ctx context.Context) {
	deadline, _ := ctx.Deadline()
	p.had = time.Until(deadline)
	<-ctx.Done()
}

func TestGuard_TheEndComesBeforeTheProcessIsKilled(t *testing.T) {
	for name, log := range map[string]*zap.Logger{"log": zap.NewNop(), "log that hangs": zap.New(deaf{zapcore.NewNopCore()})} {
		for how, took := range map[string]time.Duration{"is given up": time.Hour, "just stops": 4700 * time.Millisecond} {
			for when, later := range map[string]bool{"first": false, "later": true} {
				t.Run(how+" with a "+name+", asked "+when, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						p := &patient{}
						c, _ := Config{Name: "trial", StopTimeout: time.Minute, Logger: log}.complete(idle{}, place{})
						r := newRun(t.Context(), withStop{func(context.Context) error { <-time.After(took); return nil }}, c,
							host.Env{Hosts: []host.Host{p}, Exit: func(int) {}})
						var words strings.Builder
						r.guard.out = &words
						if later {
							r.request(host.Request{Trigger: host.TriggerTerminate})
						}
						r.request(host.Request{Trigger: host.TriggerConsoleClose, Budget: 4500 * time.Millisecond})
						asked := time.Now()
						_ = r.loop()
						if ended := time.Since(asked); ended > 5*time.Second {
							t.Errorf("it ends after %s", ended)
						}
						if p.had < 50*time.Millisecond || p.told.After(time.Now().Add(-p.had)) {
							t.Errorf("the host has %s to tell the end", p.had)
						}
						<-time.After(24 * time.Hour)
						if words.Len() > 0 {
							t.Errorf("the last words are %q", words.String())
						}
					})
				})
			}
		}
	}
}

func TestGuard_IsNeverSetToALaterTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuard("trial", nil)
		g.set(time.Now().Add(time.Second))
		g.set(time.Now().Add(time.Minute))
		if left := g.remaining(); left != time.Second {
			t.Errorf("it has %s left", left)
		}
		g.stop()
	})
}

type withStop struct{ stop func(context.Context) error }

func (withStop) Start(context.Context) error      { return nil }
func (w withStop) Stop(ctx context.Context) error { return w.stop(ctx) }

func TestRun_AtTheSameTimeAsAnother(t *testing.T) {
	busy.Store(true)
	defer busy.Store(false)
	err := Run(t.Context(), idle{}, Config{Name: "trial"})
	if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "another run") {
		t.Errorf("Run returns %v", err)
	}
}

// request returns a context that does not carry a run, like that of an HTTP request.
func request(t *testing.T) context.Context {
	return context.WithValue(context.Background(), t, "a value")
}

func TestContext_OfNoRun(t *testing.T) {
	ctx := request(t)
	Logger(ctx).Error("nobody is told")
	for name, f := range map[string]func(){
		"Go":     func() { Go(ctx, func(context.Context) error { return nil }) },
		"Fail":   func() { Fail(ctx, errors.New("boom")) },
		"Finish": func() { Finish(ctx) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if v := recover(); !strings.Contains(fmt.Sprint(v), "daemontest.Context") {
					t.Errorf("it panics with %v", v)
				}
			}()
			f()
		})
	}
}

func TestContext_OfARequestMeansTheRunOfThisProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := zap.NewExample()
		c, _ := Config{Name: "trial", Logger: log}.complete(idle{}, place{})
		r := newRun(t.Context(), idle{}, c, host.Env{Exit: func(int) {}})
		if Logger(request(t)) != r.log {
			t.Error("the logger is another")
		}
		end := make(chan error, 1)
		Go(request(t), func(ctx context.Context) error {
			if ctx.Value(t) != "a value" || runctx.FromContext(ctx) != runctx.Run(r) {
				t.Error("the context is not that of the request and of the run")
			}
			<-ctx.Done()
			end <- context.Cause(ctx)
			return ctx.Err()
		})
		done := make(chan error, 1)
		go func() { done <- r.loop() }()
		synctest.Wait()
		if len(end) > 0 {
			t.Error("the context of the goroutine has ended")
		}
		Finish(request(t))
		if err := <-done; err != nil {
			t.Error(err)
		}
		var reason Reason
		if cause := <-end; !errors.As(cause, &reason) || reason.Trigger != TriggerFinished {
			t.Errorf("the cause is %v", cause)
		}
		if runctx.Find(request(t)) != nil {
			t.Error("the run is over, and found")
		}
	})
}

func TestStacks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 2000
		end := make(chan struct{})
		defer close(end)
		for range n {
			go func() { <-end }()
		}
		synctest.Wait()
		parts := chunks(groupedStacks(n+50), maxChunk)
		if text := strings.Join(parts, "\n"); !strings.Contains(text, fmt.Sprintf("%d goroutine(s):", n)) || !strings.Contains(text, "TestStacks") {
			t.Errorf("%d goroutines are not listed as one:\n%s", n, text)
		}
		for range 300 {
			go deep(300, end)
		}
		synctest.Wait()
		parts = chunks(allStacks(300), maxChunk)
		for _, p := range parts {
			if len(p) > maxChunk || strings.HasPrefix(p, "\n") {
				t.Errorf("a part has %d bytes and begins with %.20q", len(p), p)
			}
		}
	})
}

func deep(n int, end chan struct{}) {
	if n == 0 {
		<-end
		return
	}
	deep(n-1, end)
}

func TestStacks_SayWhatIsLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := make(chan struct{})
		defer close(end)
		for range 200 {
			go deep(100, end)
		}
		synctest.Wait()
		text := eachStack(200)
		if !strings.Contains(text, "left out: ") || len(text) > maxStacks+100 {
			t.Errorf("%d bytes, which end in %q", len(text), text[len(text)-100:])
		}
		if !strings.HasPrefix(allStacks(maxGrouped+1), "there are 200001 goroutines") {
			t.Error("they are looked at")
		}
	})
}
