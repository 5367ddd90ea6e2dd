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
	// grace is the time between the stop deadline and giving up on whatever still runs.
	// If the trigger set the deadline, it is shortGrace instead: the process may be killed
	// half a second after that deadline, and ending it takes as long again.
	grace      = time.Second
	shortGrace = 250 * time.Millisecond

	// tick is the interval at which managers are told that a pending state is still pending.
	tick = time.Second

	// flushBound limits how long a log that hangs delays the end.
	flushBound = 500 * time.Millisecond

	// closeBound limits how long a manager that does not read delays the end.
	closeBound = time.Second
)

// Run runs p until it has stopped. It returns nil if p stopped as asked, and otherwise the
// first failure, joined with those that followed it. [ExitCode] turns that error into an
// exit code. The package documentation lists what can ask a program to stop, and the order
// in which it stops.
//
// If p or c is invalid, Run starts nothing, tells the manager, and returns an error that
// matches ErrConfig.
//
// Call Run first in main, and leave whatever takes time or may fail to Start. A Windows
// service has 30 seconds to call Run. If it takes longer, or exits before, Windows reports
// error 1053, which does not say why.
//
// When ctx ends, p is asked to stop. The contexts that p gets carry the values of ctx.
// Run may be called on any goroutine. Until it returns, another call fails with an error
// that matches ErrConfig. A process that a manager has started should call Run only once:
// the service ends with the run.
//
// Before it calls Start, Run catches the signals that it needs, and removes what systemd
// has put into the environment, so that child processes do not inherit it: NOTIFY_SOCKET,
// WATCHDOG_* and LISTEN_* (use [Socket] for these). Until it returns, [slog.Default] and the
// standard log write to the log of the run. A Windows service catches no signals, and
// changes to the folder of its executable.
//
// When Run returns, it leaves no goroutine, signal handler or socket behind. The only
// exception is a write to a log that hangs, which cannot be ended.
//
// If something still runs one second after the stop deadline, Run does not return: it logs
// the stack of every goroutine and exits the process with code 124, or with 128+n after a
// second signal n.
func Run(ctx context.Context, p Program, c Config) error {
	_, err := runProgram(ctx, p, c, false)
	return err
}

// busy is set while a run of this process goes on. Only one can: a process has one set of
// signals, one standard log and one environment from its manager.
var busy atomic.Bool

// runProgram does the work of Run. With exits, the process exits when it returns. begun
// reports whether the run began: until then, there is no log to write err to.
func runProgram(ctx context.Context, p Program, c Config, exits bool) (begun bool, err error) {
	// Find the host first: the Windows service control manager gives a process 30 s to
	// connect, and from then on it can be told about errors.
	var ignored []string
	env, ok := host.FromContext(ctx)
	if !ok {
		if !busy.CompareAndSwap(false, true) {
			return false, fmt.Errorf("%w: Run was called while another run of this process is active", ErrConfig)
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

// run carries out what the lifecycle machine decides for one run of a program. The fields
// below the empty line belong to the goroutine of loop.
type run struct {
	program  Program
	config   Config
	env      host.Env
	parent   context.Context
	ctx      context.Context
	release  context.CancelCauseFunc
	released chan struct{} // closed when ctx and every context derived from it have ended
	log      *zap.Logger
	level    *level
	sink     sink // nil if the program brings its own log
	book     *logbook
	stderr   io.Writer // where messages go that no log accepts
	inbox    *inbox
	tasks    tasks
	checks   checks
	relog    relog
	notices  notices
	failures failures
	guard    *guard
	leave    func() // ends what runctx.Enter began
	sockets  sockets
	args     []string // what the manager passed to this start

	machine    lifecycle.Machine
	reason     Reason
	reasonText string // the reason in words
	errs       []error
	finished   *input // set if the work was done before Start returned
	reloadErr  error  // the error of the last reload
	budget     time.Duration
	grace      time.Duration
	until      time.Time // when a pending state ends by itself
	checkpoint uint32
	begun      time.Time
	asked      time.Time               // when it was asked to stop
	calling    string                  // the method of the program that runs, "" if none does
	interrupt  context.CancelCauseFunc // ends the context of the latest Reload, Pause or Continue
	stopCtx    context.Context
	expire     context.CancelCauseFunc // ends stopCtx
	watched    bool
	gaveUp     bool
	stacks     <-chan string // delivers the stacks at the deadline, nil if not requested
	ended      bool
	draining   *time.Timer // gives up on the log; nil until only the log is left
	alarms     alarms
	phases     phases
	troubles   []error  // errors that occurred while the log was set up
	ignored    []string // lines of Service.EnvironmentFile that were not understood
	restore    func()   // restores the standard log, nil if it was not replaced
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

// loop handles one event after the other until the run has ended.
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
				r.fireAlarms() // deadlines first, however many events there are
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

// open opens the hosts. If one of them listens to signals, open returns their channel and
// the function that translates them into requests.
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
			signals, onSignal = s.C(), s.RequestFor
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
			break // a Pause or Continue that hangs must not look as if it made progress
		}
		r.alarms.set(nextTick, tick)
		r.checkpoint++
		r.tell()
	}
}

// handle passes e to the machine and carries out the effects that it returns.
func (r *run) handle(e input) {
	if e.step != 0 {
		r.stepLevel(e.step, e.name)
		return
	}
	if e.kind == lifecycle.Finished && r.machine.State() == lifecycle.Starting {
		r.finished = &e // wait until ready: otherwise the manager sees a failed start
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
		r.handle(*r.finished) // even if something else was requested meanwhile
	case fx.Has(lifecycle.Again):
		r.handle(input{kind: m.Waiting(), name: "asked for meanwhile"})
	}
}

// perform carries out the effects in fx in the order of their bits.
func (r *run) perform(fx lifecycle.Effects, e input) {
	for bit := lifecycle.Effects(1); bit <= fx; bit <<= 1 {
		if fx.Has(bit) {
			r.performOne(bit, e)
		}
	}
}

// performOne carries out the single effect fx of the event e.
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
			r.expire(r.reason) // otherwise it ends by itself, with a cause
		}
		if time.Until(r.until) > 0 {
			r.until = time.Now() // the user does not want to wait
		}
	case lifecycle.ArmGrace:
		if manyGoroutines() {
			r.stacks = lookAtStacks() // at the deadline, not when giving up
		}
		// After a second signal, the grace period begins now. If the loop is late, less of it
		// is left.
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

// settleState stops the alarms of pending states once Running or Paused is reached, and
// starts the checks when that happens for the first time.
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

// tell tells every host the state of the run.
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
