package daemon

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/crash"
	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/host/health"
	"github.com/go-glidepath/glidepath/internal/lifecycle"
	"github.com/go-glidepath/glidepath/internal/runctx"
)

const (
	// grace is how long after the stop deadline all that still runs is given up, and
	// shortGrace where the trigger has set the deadline: half a second after that the
	// process may be killed, so the end has as much again.
	grace      = time.Second
	shortGrace = 250 * time.Millisecond

	// tick is how often managers hear that a pending state is still pending.
	tick = time.Second

	// flushBound is how long a log that hangs delays the end.
	flushBound = 500 * time.Millisecond

	// closeBound is how long a manager that does not listen delays the end.
	closeBound = time.Second
)

// Run runs p until it has stopped. It returns nil if p stopped as asked, else the
// first failure, joined with what failed after it; [ExitCode] makes an exit code of
// that. What the ways to be asked are, and what happens then in which order, is in
// the description of this package.
//
// An error that is ErrConfig, and comes before anything was started, says what is
// wrong with p or c. The manager hears of it.
//
// Call it first thing in main, and do what takes time or may fail in Start. As a
// service of Windows, the process has 30 s to come here; one that comes later, or
// exits before, has failed with error 1053, which says nothing of why.
//
// When ctx ends, p is asked to stop; its values are in the contexts that p gets.
// Run may be called on any goroutine. While a run goes on, another call fails with an
// error that is ErrConfig. Call it once in a process that a manager has started: the end
// of the run is the end of the service. It catches the signals that it
// needs before it calls Start, and takes what systemd has said out of the process's
// environment (NOTIFY_SOCKET, WATCHDOG_*, and LISTEN_*, for which there is [Socket]), so
// that children do not inherit it. It leads [slog.Default] and the standard log to its own until
// it returns. As a service of Windows it catches no signals, and
// changes to the folder of the executable. When it returns, nothing of it is left: no
// goroutine, no signal handler, no socket; only a write to a log that hangs cannot be
// ended.
//
// Run does not return if something still runs a second after the stop deadline: it
// logs the stack of every goroutine and exits the process with code 124, or
// 128+n after a second signal n.
func Run(ctx context.Context, p Program, c Config) error {
	_, err := runProgram(ctx, p, c, false)
	return err
}

// busy says that a run of this process goes on: its signals, its standard log and what
// its manager has said in the environment are there once.
var busy atomic.Bool

// runProgram is Run, and with exits what Run is for a process that exits next. It
// also says whether the run has begun: before, there was no log to write err to.
func runProgram(ctx context.Context, p Program, c Config, exits bool) (begun bool, err error) {
	// Before all else: the Windows service control manager gives a process 30 s to
	// connect, and what is wrong from then on can be told.
	var ignored []string
	env, ok := host.FromContext(ctx)
	if !ok {
		if !busy.CompareAndSwap(false, true) {
			return false, fmt.Errorf("%w: Run is called while another run of this process goes on", ErrConfig)
		}
		defer busy.Store(false)
		if env, err = thisProcess(c, exits); err != nil {
			return false, err
		}
		if ignored, err = readEnvironment(); err != nil {
			refuse(env, err)
			return false, err
		}
	}
	if c, err = c.complete(p, placeOf(env)); err != nil {
		refuse(env, err)
		return false, err
	}
	if !ok {
		env.Hosts = append(env.Hosts, health.New(c.Name))
	}
	r := newRun(ctx, p, c, env)
	r.ignored = ignored
	return true, r.loop()
}

// run is one run of a program: it carries out what the lifecycle machine decides.
// What is below the empty line belongs to the goroutine of loop.
type run struct {
	program  Program
	config   Config
	env      host.Env
	parent   context.Context
	ctx      context.Context
	release  context.CancelCauseFunc
	released chan struct{} // closed when ctx, and all that is made from it, has ended
	log      *zap.Logger
	level    *level
	sink     sink // nil if the log is the program's
	book     *logbook
	stderr   io.Writer // for what no log takes: standard error
	inbox    *inbox
	tasks    tasks
	checks   checks
	relog    relog
	notices  notices
	failures failures
	guard    *guard
	leave    func() // says that the run is over
	sockets  sockets
	args     []string // of this start, from the manager

	machine    lifecycle.Machine
	reason     Reason
	reasonText string // the reason in words
	errs       []error
	finished   *input // the work was done before Start had returned
	reloadErr  error  // of the last reload
	budget     time.Duration
	grace      time.Duration
	until      time.Time // when a pending state ends by itself
	checkpoint uint32
	begun      time.Time
	asked      time.Time               // when it was asked to stop
	calling    string                  // the method that runs, "" if none does
	interrupt  context.CancelCauseFunc // ends the context of the Reload, Pause or Continue that came last
	stopCtx    context.Context
	expire     context.CancelCauseFunc // ends stopCtx
	watched    bool
	gaveUp     bool
	stacks     <-chan string // of what still ran at the deadline, nil if nobody has looked
	ended      bool
	draining   *time.Timer // until the log is given up, nil before that is all that is left
	alarms     alarms
	phases     phases
	troubles   []error  // with the log, before there was one
	ignored    []string // of Service.EnvironmentFile
	restore    func()   // gives back the standard log, nil if it was not taken
	crash      atomic.Pointer[crash.Output]
}

var _ runctx.Run = (*run)(nil)

func newRun(ctx context.Context, p Program, c Config, env host.Env) *run {
	r := &run{program: p, config: c, env: env, parent: ctx, inbox: newInbox(), log: c.Logger, stderr: os.Stderr, begun: time.Now()}
	r.level = newLevel(c, env.Own)
	if r.log == nil {
		r.log, r.sink, r.troubles = hostLog(c, env, r.level)
	}
	r.sockets.left = env.Sockets
	r.book = newLogbook(r.log, r.sink != nil && len(c.LogAlso) == 0)
	r.log = r.book.precede(r.log)
	r.released = make(chan struct{})
	r.ctx, r.release = context.WithCancelCause(runctx.NewContext(context.WithoutCancel(ctx), r))
	r.guard = newGuard(c.Name, env.Exit)
	r.leave = runctx.Enter(r)
	return r
}

// loop handles events, one after the other, until the run is over.
func (r *run) loop() error {
	signals, onSignal := r.open()
	var fx lifecycle.Effects
	_, closes := r.program.(Closer)
	r.machine, fx = lifecycle.New(r.config.DrainDelay > 0, closes)
	r.phases.record(0, fx)
	r.perform(fx, input{})

	cancelled := r.parent.Done()
	for !r.ended {
		select {
		case <-r.inbox.wake:
			for _, e := range r.inbox.take() {
				r.fireAlarms() // deadlines first, however much there is to do
				r.handle(e)
			}
		case s := <-signals:
			if q, ok := onSignal(s); ok {
				r.handle(r.inputOf(q))
			}
		case <-cancelled:
			cancelled = nil
			r.handle(input{kind: lifecycle.StopAsked, reason: Reason{
				Trigger: TriggerCancelled, Detail: "the context of Run has ended", Err: comparableError(context.Cause(r.parent)),
			}})
		case <-r.alarms.wait():
			r.fireAlarms()
		}
	}
	return r.result()
}

// fireAlarms handles the alarms that are due.
func (r *run) fireAlarms() {
	for a, due := r.alarms.takeDue(); due; a, due = r.alarms.takeDue() {
		r.handleAlarm(a)
	}
}

// open opens the hosts. It returns where signals come from and what they mean, if
// one of the hosts listens to them.
func (r *run) open() (signals <-chan os.Signal, onSignal func(os.Signal) (host.Request, bool)) {
	h := host.Run{
		Post: r.request, Notify: r.notify, Warn: r.warn, Debug: r.debug, Check: r.health,
		Preshutdown: r.config.Windows.Preshutdown, KeepChildren: r.config.Windows.KeepChildren,
	}
	_, h.CanPause = r.program.(Pauser)
	_, h.CanNotify = r.program.(Notified)
	h.LevelControls = !r.level.fixed && !r.config.KeepLevel
	for _, x := range r.env.Hosts {
		x.Open(h)
		if s, ok := x.(host.Signals); ok {
			signals, onSignal = s.C(), s.On
		}
		if s, ok := x.(host.Starter); ok {
			r.args = s.Args()
		}
	}
	if r.env.Own {
		r.restore = redirect(r.log, r.config.tracer())
	}
	if r.env.Untaken != nil {
		r.warn("no socket is taken from the manager", zap.Error(r.env.Untaken))
	}
	if err := r.env.Enter(); err != nil {
		r.warn("the working directory stays what it was", zap.Error(err))
	}
	return signals, onSignal
}

// handleAlarm handles an alarm that is due.
func (r *run) handleAlarm(a alarm) {
	switch a {
	case startTimeout:
		r.phases.overrun("Start")
		err := fmt.Errorf("not ready after %s (Config.StartTimeout)", r.config.StartTimeout)
		r.handle(input{kind: lifecycle.StartExpired, reason: failure("Start takes too long", err), err: newFailed("", err)})
	case drainDelay:
		r.handle(input{kind: lifecycle.DrainOver})
	case stopDeadline:
		r.phases.overrun(r.calling)
		r.handle(input{kind: lifecycle.DeadlineOver})
	case graceOver:
		r.handle(input{kind: lifecycle.GraceOver})
	case flushTimeout:
		r.handle(input{kind: lifecycle.FlushDone})
	case nextTick:
		if time.Until(r.until) <= 0 && r.machine.State() != lifecycle.Stopping {
			break // a Pause or Continue that hangs is not to look like one that gets on
		}
		r.alarms.set(nextTick, tick)
		r.checkpoint++
		r.tell()
	}
}

// handle lets the machine decide on e, and does what it says.
func (r *run) handle(e input) {
	if e.step != 0 {
		r.stepLevel(e.step, e.name)
		return
	}
	if e.kind == lifecycle.Finished && r.machine.State() == lifecycle.Starting {
		r.finished = &e // ready comes first, or the manager takes the end for a failed start
		return
	}
	if r.draining != nil {
		r.shortenFlush(e)
	}
	before := r.machine
	m, fx := before.Step(e.kind)
	r.machine = m
	r.phases.record(e.kind, fx)
	r.noteEvent(before, fx, e)
	r.perform(fx, e)
	switch {
	case e.kind == lifecycle.ReloadAsked && !fx.Has(lifecycle.CallReload):
		r.reloadLog(e)
	case e.kind == lifecycle.StartOK && r.finished != nil:
		r.handle(*r.finished) // whatever else was asked for meanwhile
	case fx.Has(lifecycle.Again):
		r.handle(input{kind: m.Waiting(), name: "asked for meanwhile"})
	}
}

// perform carries out fx, in the order of their bits.
func (r *run) perform(fx lifecycle.Effects, e input) {
	for bit := lifecycle.Effects(1); bit <= fx; bit <<= 1 {
		if fx.Has(bit) {
			r.performOne(bit, e)
		}
	}
}

func (r *run) performOne(fx lifecycle.Effects, e input) {
	switch fx {
	case lifecycle.KeepReason:
		r.asked = time.Now()
		r.keepReason(e)
	case lifecycle.LateReason:
		r.logLateReason(e)
		r.shortenDeadline(e)
	case lifecycle.AddError:
		r.addError(e)
	case lifecycle.ArmStart:
		r.until = time.Now().Add(r.config.StartTimeout)
		r.alarms.set(startTimeout, r.config.StartTimeout)
		r.alarms.set(nextTick, tick)
	case lifecycle.ArmDeadline:
		r.alarms.stop(startTimeout)
		r.alarms.set(nextTick, tick)
		r.setDeadline(r.budget)
	case lifecycle.Tell:
		r.checkpoint = 0
		r.armPending()
		r.tell()
		r.settleState()
	case lifecycle.ArmDrain:
		r.alarms.set(drainDelay, r.drainShare(r.budget))
	case lifecycle.Interrupt:
		r.interrupt(r.reason)
	case lifecycle.Release:
		r.endContext()
	case lifecycle.Expire:
		if deadline, _ := r.stopCtx.Deadline(); time.Until(deadline) > 0 {
			r.expire(r.reason) // else it ends by itself, and says why
		}
		if time.Until(r.until) > 0 {
			r.until = time.Now() // cut short
		}
	case lifecycle.ArmGrace:
		if manyGoroutines() {
			r.stacks = lookAtStacks() // as they are at the deadline
		}
		// After a second signal the grace begins now. A loop that is late has less of it.
		left := min(r.grace, time.Until(r.until)+r.grace)
		r.alarms.set(graceOver, left)
		r.guard.set(time.Now().Add(left + endBound))
	case lifecycle.CallStart, lifecycle.CallReload, lifecycle.CallPause, lifecycle.CallContinue, lifecycle.CallStop, lifecycle.CallClose:
		r.callMethod(fx, e)
	case lifecycle.Join:
		r.tasks.join(func() { r.inbox.post(input{kind: lifecycle.Joined}) })
	case lifecycle.GiveUp:
		r.giveUp()
	case lifecycle.Flush:
		r.flush()
	case lifecycle.Finish:
		r.finish()
	}
}

// armPending begins the budget of a Pause or Continue.
func (r *run) armPending() {
	if s := r.machine.State(); s == lifecycle.Pausing || s == lifecycle.Continuing {
		r.until = time.Now().Add(r.config.StopTimeout)
		r.alarms.set(nextTick, tick)
	}
}

// settleState stops and starts what depends on the state being a pending one.
func (r *run) settleState() {
	switch r.machine.State() {
	case lifecycle.Running, lifecycle.Paused:
		r.alarms.stop(startTimeout)
		r.alarms.stop(nextTick)
	default:
		return
	}
	if r.watched {
		return
	}
	r.watched = true
	r.openChecks()
	for _, h := range r.env.Hosts {
		if w, ok := watchdogOf(h); ok && r.tasks.add() {
			go r.feedWatchdog(w)
		}
	}
}

func (r *run) tell() {
	s := host.Status{State: r.machine.State(), Checkpoint: r.checkpoint}
	switch s.State {
	case lifecycle.Starting, lifecycle.Pausing, lifecycle.Continuing:
		s.Left = time.Until(r.until)
	case lifecycle.Running:
		s.Err = r.reloadErr
	case lifecycle.Stopping:
		s.Left = time.Until(r.until) + r.grace
		s.Reason, s.Trigger, s.Err = r.reasonText, string(r.reason.Trigger), r.failure()
	case lifecycle.Stopped:
		s.Reason, s.Trigger, s.Err = r.reasonText, string(r.reason.Trigger), r.failure()
		s.Code = ExitCode(s.Err)
	}
	for _, h := range r.env.Hosts {
		h.Tell(s)
	}
}
