package daemon_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/daemon/daemontest"
	"github.com/go-glidepath/glidepath/daemon/event"
)

var (
	scmRuns = flag.Int("scm.runs", 5_000, "how many random schedules to try under a service control manager")
	scmSeed = flag.Uint64("scm.seed", 0, "the one schedule to try, as a failure printed it")
)

// ordeal runs an erratic program as a Windows service and collects the rules that it breaks.
type ordeal struct {
	dice    dice
	scm     *daemontest.SCM
	program *erratic
	config  daemon.Config
	able    daemontest.Accepted // the controls that its abilities accept
	begun   time.Time
	asked   time.Time // when it was asked to stop
	down    bool      // the system went down before the service had stopped

	mu     sync.Mutex
	broken []string
}

func (o *ordeal) breaks(format string, args ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.broken = append(o.broken, fmt.Sprintf(format, args...))
}

// errorf records the rules that the manager sees broken. It ignores two of them if the program
// itself is to blame.
func (o *ordeal) errorf(format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	switch {
	case o.program.hangs(o.config.StopTimeout) &&
		(strings.Contains(what, "is hung in PAUSE_PENDING") || strings.Contains(what, "is hung in CONTINUE_PENDING")):
	case o.program.overruns() && strings.Contains(what, "was killed"):
	default:
		o.breaks("%s", what)
	}
}

// hangs reports whether a Pause or Continue has taken longer than limit and has not returned
// before this very moment.
func (p *erratic) hangs(limit time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.turns) == 0 || time.Since(p.pausing) < limit {
		return false
	}
	returned := p.turns[len(p.turns)-1]
	return returned.IsZero() || time.Since(returned) == 0
}

// overruns reports whether the program has not stopped before this very moment although it was
// told its deadline.
func (p *erratic) overruns() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Since(p.done) == 0
	told := p.running != "" || now
	if p.stop != nil {
		told = p.stop.Err() != nil
	}
	return told && (p.busy > 0 || now)
}

// serve runs one schedule and returns the rules that were broken. choices decide what is asked
// of the program, and moods decide what the program does.
func serve(t *testing.T, choices, moods dice) []string {
	o := &ordeal{dice: choices, program: &erratic{dice: moods}}
	o.scm = &daemontest.SCM{Errorf: o.errorf}
	if o.oneIn(2) {
		o.scm.WaitToKillServiceTimeout = 20 * time.Second
	}
	o.config = daemon.Config{
		Name: "ordeal", Logger: zap.NewNop(),
		StartTimeout: time.Duration(1+o.dice.IntN(20)) * time.Second,
		StopTimeout:  time.Duration(2+o.dice.IntN(20)) * time.Second,
		Windows:      daemon.Windows{Preshutdown: o.oneIn(3)},
	}
	if o.oneIn(2) {
		o.config.DrainDelay = o.config.StopTimeout / time.Duration(2+o.dice.IntN(8))
	}
	err := daemontest.Drive(t, o.scm, o.cast(), o.config, o.act)
	o.review(err)
	if len(o.broken) > 0 {
		for _, r := range o.scm.History() {
			o.breaks("%s", r)
		}
	}
	return o.broken
}

func (o *ordeal) oneIn(n int) bool { return o.dice.IntN(n) == 0 }

// cast returns the program with randomly chosen abilities.
func (o *ordeal) cast() daemon.Program {
	switch o.dice.IntN(6) {
	case 0:
		return struct{ daemon.Program }{o.program}
	case 1:
		return struct{ daemon.Reloader }{o.program}
	case 2:
		o.able = daemontest.AcceptPauseContinue
		return struct{ daemon.Pauser }{o.program}
	}
	o.able = daemontest.AcceptPauseContinue |
		daemontest.AcceptSessionChange | daemontest.AcceptPowerEvent | daemontest.AcceptTimeChange
	return o.program
}

// act sends random controls and then ends the service.
func (o *ordeal) act() {
	o.begun = time.Now()
	for range o.dice.IntN(20) {
		switch o.dice.IntN(24) {
		case 0, 1, 2:
			o.control(daemontest.ControlParamChange)
		case 3, 4:
			o.control(daemontest.ControlPause)
		case 5, 6, 7:
			o.control(daemontest.ControlContinue)
		case 8:
			o.control(daemontest.ControlInterrogate)
		case 9:
			o.noteStopAsked(o.control(daemontest.ControlStop))
		case 10:
			for range o.dice.IntN(50) {
				o.control(daemontest.Control(128 + o.dice.IntN(128)))
			}
		case 11:
			if o.oneIn(4) {
				for range 1100 {
					o.control(200)
				}
			}
		case 12:
			o.checkAnswer(o.scm.SessionChange(event.SessionLogon, 1))
			o.checkAnswer(o.scm.PowerChange(event.PowerSuspend))
			o.checkAnswer(o.scm.TimeChange(time.Now(), time.Now()))
		case 13:
			if o.oneIn(3) {
				o.shutdown()
			}
		case 14:
			o.control(daemontest.Control(o.dice.IntN(128)))
		default:
			daemontest.Sleep(time.Duration(o.dice.IntN(5000)) * time.Millisecond)
		}
		if o.oneIn(2) {
			daemontest.Sleep(0)
		}
	}
	o.noteStopAsked(nil)
}

func (o *ordeal) control(c daemontest.Control) error {
	err := o.scm.Control(c)
	o.checkAnswer(err)
	return err
}

func (o *ordeal) shutdown() {
	if o.scm.Query().ControlsAccepted != 0 {
		o.noteStopAsked(nil) // otherwise the service is not told
	}
	o.scm.Shutdown()
	o.down = o.scm.Query().Win32ExitCode == daemontest.ErrorProcessAborted
}

// checkAnswer checks that err is an answer that any control may get.
func (o *ordeal) checkAnswer(err error) {
	var no daemontest.Errno
	if err != nil && !errors.As(err, &no) {
		o.breaks("the answer is %v", err)
	}
	switch no {
	case daemontest.NoError, daemontest.ErrorInvalidServiceControl, daemontest.ErrorServiceCannotAcceptCtrl,
		daemontest.ErrorServiceNotActive, daemontest.ErrorInvalidParameter:
	case daemontest.ErrorCallNotImplemented:
		if o.able.Has(daemontest.AcceptSessionChange) {
			o.breaks("the answer is %v", err)
		}
	default:
		o.breaks("the answer is %v", err)
	}
}

// noteStopAsked records the time at which the service was first asked to stop, unless err says
// that it was not.
func (o *ordeal) noteStopAsked(err error) {
	if err == nil && o.asked.IsZero() {
		o.asked = time.Now()
	}
}

// review checks the history of the service after its end.
func (o *ordeal) review(err error) {
	p := o.program
	p.mu.Lock()
	defer p.mu.Unlock()
	o.broken = append(o.broken, p.broken...)
	if p.failed && err == nil {
		o.breaks("a failure looks like success")
	}
	history := o.scm.History()
	entered := history[0]
	for _, r := range history {
		if r.State != entered.State {
			o.checkEarned(entered.State, r)
			entered = r
		}
		if want := o.wantAccepted(r.State); r.ControlsAccepted != want {
			o.breaks("accepts %s in %s, want %s", r.ControlsAccepted, r.State, want)
		}
		if took, limit := r.At-entered.At, o.pendingLimit(r.State); r.CheckPoint > 0 && took > limit {
			o.breaks("gets on in %s for %s, want %s at most", r.State, took, limit)
		}
	}
	last := history[len(history)-1]
	limit := o.config.StartTimeout + o.config.StopTimeout + grace
	if late := o.begun.Add(last.At).Sub(o.asked) - limit; late > 0 && !o.down {
		o.breaks("it ended %s too late", late)
	}
}

// checkEarned checks that r is true of the program: that the method that it was asked to run
// returned at that moment.
func (o *ordeal) checkEarned(from daemontest.State, r daemontest.Report) {
	p, at := o.program, o.begun.Add(r.At)
	switch {
	case r.State != daemontest.Running && r.State != daemontest.Paused:
	case from == daemontest.StartPending && (p.started.IsZero() || at.Before(p.started)):
		o.breaks("RUNNING before Start has returned")
	case from != daemontest.StartPending && !slices.ContainsFunc(p.turns, at.Equal):
		o.breaks("from %s to %s after %s, but nothing has returned then", from, r.State, r.At)
	}
}

// pendingLimit returns how long the service may report progress in a state.
func (o *ordeal) pendingLimit(s daemontest.State) time.Duration {
	switch s {
	case daemontest.StartPending:
		return o.config.StartTimeout
	case daemontest.StopPending:
		return o.config.StopTimeout + grace
	}
	return o.config.StopTimeout
}

// wantAccepted returns the controls that the service must accept in a state.
func (o *ordeal) wantAccepted(s daemontest.State) daemontest.Accepted {
	a := o.able | always
	if o.config.Windows.Preshutdown {
		a = o.able | always&^daemontest.AcceptShutdown | daemontest.AcceptPreshutdown
	}
	switch s {
	case daemontest.Running, daemontest.Paused:
		return a
	case daemontest.PausePending, daemontest.ContinuePending:
		return a &^ daemontest.AcceptPauseContinue
	}
	return 0
}

func TestService_KeepsTheRulesOfTheSCM(t *testing.T) {
	try := func(seed uint64) []string {
		return serve(t, rand.New(rand.NewPCG(seed, 0)), rand.New(rand.NewPCG(seed, 1)))
	}
	if *scmSeed != 0 {
		for _, b := range try(*scmSeed) {
			t.Error(b)
		}
		return
	}
	base := uint64(time.Now().UnixNano())
	var next, failures atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(*scmRuns); i = next.Add(1) {
				seed := base + uint64(i)
				if broken := try(seed); len(broken) > 0 && failures.Add(1) <= 10 {
					t.Errorf("%s\nagain with -scm.seed=%d", strings.Join(broken, "\n"), seed)
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d random schedules, %d of them failed", *scmRuns, failures.Load())
}

// bytes makes choices from given bytes. When none are left, it always makes the last choice.
type bytes struct{ left []byte }

func (b *bytes) IntN(n int) int {
	if len(b.left) == 0 {
		return n - 1
	}
	i := int(b.left[0])
	b.left = b.left[1:]
	if n > 256 && len(b.left) > 0 {
		i = i<<8 | int(b.left[0])
		b.left = b.left[1:]
	}
	return i % n
}

func FuzzService(f *testing.F) {
	f.Add([]byte{}, []byte{})
	f.Add([]byte{1, 10, 10, 1, 1, 5, 6, 3, 0, 15, 100, 100, 5}, []byte{11, 11, 2, 8})
	f.Add([]byte{0, 3, 3, 0, 0, 0, 0, 1, 9, 13, 0}, []byte{5, 1, 2, 11})
	f.Fuzz(func(t *testing.T, choices, moods []byte) {
		for _, b := range serve(t, &bytes{choices}, &bytes{moods}) {
			t.Error(b)
		}
	})
}
