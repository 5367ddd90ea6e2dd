package daemon_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/daemon/event"
	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/lifecycle"
)

var (
	randomRuns = flag.Int("random.runs", 10_000, "how many random schedules to try")
	randomSeed = flag.Uint64("random.seed", 0, "the one schedule to try, as a failure printed it")
)

// dice makes random choices.
type dice interface {
	IntN(n int) int // 0 to n-1
}

// erratic is a program that does anything. It records which rules of the run were broken.
type erratic struct {
	mu      sync.Mutex
	dice    dice
	running string          // the method that runs
	busy    int             // the number of its methods and goroutines that run
	done    time.Time       // when the last of these returned
	pausing time.Time       // when Pause or Continue was last called
	turns   []time.Time     // when these returned, zero for one that has not
	started time.Time       // when Start returned nil
	stop    context.Context // the context of Stop, nil if it was not called
	closed  bool            // Close was called
	failed  bool            // something failed that the result must contain
	ctx     context.Context
	broken  []string
}

func (p *erratic) breaks(format string, args ...any) {
	p.broken = append(p.broken, fmt.Sprintf(format, args...))
}

func (p *erratic) roll(n int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dice.IntN(n)
}

// enter and leave bracket each method except Check.
func (p *erratic) enter(ctx context.Context, method string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running != "" {
		p.breaks("%s was called during %s", method, p.running)
	}
	if method != "Start" && p.started.IsZero() {
		p.breaks("%s was called before Start had returned nil", method)
	}
	switch {
	case method == "Close" && (p.stop == nil || p.closed || p.busy > 0):
		p.breaks("Close was called before Stop, or twice, or while %d methods and goroutines run", p.busy)
	case method != "Close" && p.stop != nil:
		p.breaks("%s was called after Stop", method)
	}
	p.closed = p.closed || method == "Close"
	p.running = method
	if method == "Stop" {
		p.stop = ctx
	}
	if turns(method) {
		p.pausing, p.turns = time.Now(), append(p.turns, time.Time{})
	}
}

func (p *erratic) leave(method string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = ""
	if turns(method) {
		p.turns[len(p.turns)-1] = time.Now()
	}
	if method == "Start" && err == nil {
		p.started = time.Now()
	}
}

func turns(method string) bool { return method == "Pause" || method == "Continue" }

// behave does one of the things that programs do.
func (p *erratic) behave(ctx context.Context, method string) (err error) {
	p.enter(ctx, method)
	defer func() { p.leave(method, err) }()
	defer p.works()()
	switch p.roll(13) {
	case 0:
		return fmt.Errorf("%s: %w", method, errBoom)
	case 1:
		p.note()
		panic("boom")
	case 2:
		pass(time.Duration(p.roll(20)) * time.Second) // it takes its time
	case 3:
		pass(3 * time.Hour) // as good as never
	case 4:
		<-ctx.Done()
		return ctx.Err()
	case 5:
		daemon.Go(ctx, p.goroutine)
	case 6:
		daemon.Go(ctx, p.goroutine)
		pass(time.Duration(p.roll(3000)) * time.Millisecond)
	case 7:
		if p.roll(3) == 0 {
			p.note()
			daemon.Fail(ctx, errBoom)
		}
	case 8:
		if p.roll(3) == 0 {
			daemon.Finish(ctx)
		}
	}
	return nil
}

// note records that a failure will follow, which nothing can undo.
func (p *erratic) note() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failed = true
}

// works counts the methods and goroutines that run.
func (p *erratic) works() (done func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.busy++
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.busy--
		p.done = time.Now()
	}
}

func (p *erratic) goroutine(ctx context.Context) error {
	defer p.works()()
	switch p.roll(8) {
	case 0:
		pass(time.Duration(p.roll(40)) * time.Second)
		return errBoom
	case 1:
		pass(time.Duration(p.roll(10)) * time.Second)
		p.note()
		panic("boom in a goroutine")
	case 2:
		pass(3 * time.Hour)
	case 3:
		daemon.Go(ctx, p.goroutine)
	case 4:
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

func (p *erratic) Start(ctx context.Context) error {
	p.ctx = ctx
	return p.behave(ctx, "Start")
}

func (p *erratic) Stop(ctx context.Context) error {
	var reason daemon.Reason
	if !errors.As(context.Cause(p.ctx), &reason) {
		p.mu.Lock()
		p.breaks("Stop was called before the context of Start had ended with a Reason: %v", context.Cause(p.ctx))
		p.mu.Unlock()
	}
	return p.behave(ctx, "Stop")
}

func (p *erratic) Close(ctx context.Context) error    { return p.behave(ctx, "Close") }
func (p *erratic) Reload(ctx context.Context) error   { return p.behave(ctx, "Reload") }
func (p *erratic) Pause(ctx context.Context) error    { return p.behave(ctx, "Pause") }
func (p *erratic) Continue(ctx context.Context) error { return p.behave(ctx, "Continue") }

func (p *erratic) Check(ctx context.Context) error {
	defer p.works()()
	switch p.roll(100) {
	case 0:
		p.note()
		panic("boom in Check")
	case 1:
		pass(time.Duration(p.roll(100)) * time.Second)
	case 2:
		return errBoom
	}
	return ctx.Err()
}

func (p *erratic) Notify(ctx context.Context, _ event.Event) {
	defer p.works()()
	switch p.roll(100) {
	case 0:
		p.note()
		panic("boom in Notify")
	case 1:
		pass(3 * time.Hour)
	case 2, 3:
		pass(time.Duration(p.roll(20)) * time.Second)
	case 4:
		<-ctx.Done()
	case 5:
		daemon.Go(ctx, p.goroutine)
	}
}

// schedule runs one random program under one random manager, and returns the rules that were
// broken.
func schedule(t *testing.T, seed uint64) (broken []string) {
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(seed, 0))
		p := &erratic{dice: rand.New(rand.NewPCG(seed, 1))}
		x := &trial{t: t, exit: -1, begun: time.Now()}
		if random.IntN(2) == 0 {
			x.interval = time.Duration(1+random.IntN(5)) * time.Second
		}
		config := daemon.Config{
			Name: "random", Logger: zap.NewNop(),
			StartTimeout: time.Duration(1+random.IntN(20)) * time.Second,
			StopTimeout:  time.Duration(2+random.IntN(20)) * time.Second,
		}
		if random.IntN(2) == 0 {
			config.DrainDelay = config.StopTimeout / time.Duration(2+random.IntN(8))
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		ctx = host.NewContext(ctx, host.Env{
			Hosts: []host.Host{(*manager)(x)},
			Exit:  func(code int) { x.exit = code },
		})
		result := make(chan error, 1)
		go func() { result <- daemon.Run(ctx, p, config) }()
		synctest.Wait()

		asked := x.actAtRandom(random)
		cancel()
		err := <-result
		synctest.Wait()

		if late := x.closed.Sub(asked) - config.StartTimeout - config.StopTimeout - grace; late > 0 {
			broken = append(broken, fmt.Sprintf("it ended %s too late", late))
		}
		broken = append(broken, x.violations(err)...)
		broken = append(broken, p.violations(err, x.exit >= 0)...)
		pass(24 * time.Hour) // until everything that was given up has ended
	})
	return broken
}

// actAtRandom posts random requests at random times. It returns the time of the first request
// to stop, or of the end.
func (x *trial) actAtRandom(random *rand.Rand) (asked time.Time) {
	for range random.IntN(20) {
		switch random.IntN(12) {
		case 0, 1, 2:
			x.run.Post(reload)
		case 3:
			x.run.Post(host.Request{Action: host.Pause})
		case 4:
			x.run.Post(host.Request{Action: host.Continue})
		case 5:
			x.run.Post(host.Request{Trigger: host.TriggerTerminate, Budget: time.Duration(random.IntN(10)) * time.Second})
			if asked.IsZero() {
				asked = time.Now()
			}
		case 6:
			x.run.Post(host.Request{Action: host.Force, Signal: 2})
		default:
			pass(time.Duration(random.IntN(5000)) * time.Millisecond)
		}
		if random.IntN(2) == 0 {
			synctest.Wait()
		}
	}
	if asked.IsZero() {
		asked = time.Now()
	}
	return asked
}

// violations returns the rules that the run broke, as the program sees it. gaveUp says that the
// process exited.
func (p *erratic) violations(err error, gaveUp bool) (broken []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	broken = append(broken, p.broken...)
	if p.stop != nil && !p.closed && !gaveUp {
		broken = append(broken, "Close was not called")
	}
	if p.failed && err == nil {
		broken = append(broken, "a failure looks like success")
	}
	return broken
}

const grace = time.Second

// violations returns the rules that the run broke, as the manager sees it.
func (x *trial) violations(err error) (broken []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	breaks := func(format string, args ...any) { broken = append(broken, fmt.Sprintf(format, args...)) }
	stopping := false
	for i, s := range x.told {
		pausing := s.State == lifecycle.Pausing || s.State == lifecycle.Continuing
		pending := s.State == lifecycle.Starting || s.State == lifecycle.Stopping || pausing
		switch {
		case i == 0 && s.State != lifecycle.Starting:
			breaks("the first state is %s", s.State)
		case i > 0 && s.State == x.told[i-1].State && s.Checkpoint != x.told[i-1].Checkpoint+1:
			breaks("checkpoint %d after %d in %s", s.Checkpoint, x.told[i-1].Checkpoint, s.State)
		case i > 0 && s.State != x.told[i-1].State && s.Checkpoint != 0, !pending && s.Checkpoint != 0:
			breaks("checkpoint %d on entering %s", s.Checkpoint, s.State)
		case stopping && s.State.Ready():
			breaks("%s while stopping", s.State)
		case s.State == lifecycle.Stopped && i != len(x.told)-1:
			breaks("something after stopped")
		case pending && s.Left < 0:
			breaks("past the budget by %s in %s", -s.Left, s.State)
		}
		stopping = stopping || s.State == lifecycle.Stopping
	}
	last := x.told[len(x.told)-1]
	if last.State != lifecycle.Stopped || last.Code != daemon.ExitCode(err) {
		breaks("the last word is %s with code %d, and the result %v", last.State, last.Code, err)
	}
	if code := daemon.ExitCode(err); x.exit >= 0 && x.exit != code {
		breaks("the process exited with %d instead of %d", x.exit, code)
	}
	return broken
}

func TestRun_RandomSchedulesKeepTheInvariants(t *testing.T) {
	if *randomSeed != 0 {
		for _, b := range schedule(t, *randomSeed) {
			t.Error(b)
		}
		return
	}
	base := uint64(time.Now().UnixNano())
	var wg sync.WaitGroup
	codes := make(chan uint64)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for seed := range codes {
				if broken := schedule(t, seed); len(broken) > 0 {
					t.Errorf("%q; again with -random.seed=%d", broken, seed)
				}
			}
		})
	}
	for i := range *randomRuns {
		codes <- base + uint64(i)
	}
	close(codes)
	wg.Wait()
	t.Logf("%d random schedules", *randomRuns)
}
