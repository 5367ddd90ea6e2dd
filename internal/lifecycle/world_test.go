package lifecycle

import "fmt"

// stepper has the signature of Machine.Step; tests pass it or a faulty copy.
type stepper func(Machine, Event) (Machine, Effects)

// world records what the effects have done outside the machine so far. It is kept apart
// from the machine's own memory so that each can be checked against the other. It is
// comparable: two equal worlds have the same future.
type world struct {
	machine Machine
	running call  // the method of the program that runs
	told    State // what the hosts were told last
	flags
}

type flags struct {
	startCalled, startOK, stopCalled  bool
	closes, closeCalled               bool
	reason, failed, forced, late      bool // why it stops, and how it must end
	deadlineArmed, expired            bool
	drainArmed, graceArmed, graceOver bool
	interrupted, released             bool
	joinAsked, joined                 bool
	gaveUp, flushAsked, flushed       bool
	finished                          bool
	wantsReload, wantsPause           bool
}

// kinds lists the kinds of programs to begin with.
var kinds = []struct{ drains, closes bool }{{}, {drains: true}, {closes: true}, {true, true}}

// begin returns the world after New.
func begin(drains, closes bool) (world, string) {
	m, fx := New(drains, closes)
	w := world{machine: m, flags: flags{closes: closes}}
	return w.perform(fx)
}

// possible reports whether e can happen in this world. The shell may still deliver an event
// that has become impossible, such as that of a timer that was about to fire. Such an event
// must change nothing.
func (w world) possible(e Event) bool {
	switch e {
	case StartOK, StartFailed:
		return w.running == callStart
	case StartCancelled:
		return w.running == callStart && w.reason // before, its context has not ended
	case ReloadDone:
		return w.running == callReload
	case PauseOK, PauseFailed:
		return w.running == callPause
	case ContinueOK, ContinueFailed:
		return w.running == callContinue
	case StopOK, StopFailed:
		return w.running == callStop
	case DrainOver:
		return w.drainArmed && !w.released
	case DeadlineOver:
		return w.deadlineArmed
	case GraceOver:
		return w.graceArmed
	case CloseOK, CloseFailed:
		return w.running == callClose
	case Joined:
		return w.joinAsked && !w.joined
	case FlushDone:
		return w.flushAsked && !w.flushed
	default:
		return true
	}
}

// step lets e happen. It returns the world after it, and the rule that was broken.
func (w world) step(next stepper, e Event) (world, string) {
	before := w
	m, fx := next(w.machine, e)
	if !w.possible(e) && (m != w.machine || fx != 0) {
		return w, fmt.Sprintf("%s cannot happen here, and yet it changed something", e)
	}
	if w.finished && (m != w.machine || fx != 0) {
		return w, "something happened after the end"
	}
	w.machine = m
	if w.possible(e) {
		w.happened(e)
	}
	if bad := w.expect(before, e, fx); bad != "" {
		return w, bad
	}
	w, bad := w.perform(fx)
	if bad == "" {
		bad = w.consistent()
	}
	if bad == "" && fx.Has(Again) {
		return w.step(next, w.machine.Waiting())
	}
	return w, bad
}

// happened records what e reveals about the outside.
func (w *world) happened(e Event) {
	switch e {
	case StartOK:
		w.startOK = true
		w.running = noCall
	case StartFailed, StartCancelled, ReloadDone, PauseOK, PauseFailed, ContinueOK, ContinueFailed,
		StopOK, StopFailed, CloseOK, CloseFailed:
		w.running = noCall
	case Joined:
		w.joined = true
	case GraceOver:
		w.graceOver = true
	case FlushDone:
		w.flushed = true
	}
}

// expect checks the effects that e requires.
func (w *world) expect(before world, e Event, fx Effects) string {
	if before.finished || !before.possible(e) {
		return ""
	}
	open := !before.flushAsked // until the log is flushed, everything counts
	failure := e == Failed ||
		e == StartFailed || e == StopFailed || e == CloseFailed ||
		e == StartExpired && before.told == Starting
	switch {
	case failure && open:
		w.failed = true
		if !fx.Has(KeepReason) && !fx.Has(AddError) {
			return "a failure was dropped"
		}
	case fx.Has(AddError):
		return "something other than a failure was added to the errors"
	}
	if e == Finished && fx.Has(ArmDrain) {
		return "a program that has finished was drained"
	}
	if (e == StopAsked || e == Finished) && !before.reason && !fx.Has(KeepReason) {
		return "a request to stop was not heard"
	}
	if e == Forced && before.reason && open {
		w.forced = true
		if !before.expired && !fx.Has(Expire) {
			return "a second signal changed nothing"
		}
	}
	if e == DeadlineOver && open && !before.expired && !fx.Has(Expire) {
		return "the deadline changed nothing"
	}
	if e == GraceOver && open && !fx.Has(GiveUp) {
		return "the grace was over and nothing was given up"
	}
	if e == ReloadAsked && !before.reason && before.told != Running {
		w.wantsReload = true
	}
	if e == PauseAsked && (before.told == Running || before.told == Reloading) {
		w.wantsPause = true
	}
	if fx.Has(CallReload) {
		w.wantsReload = false
	}
	if fx.Has(CallPause) {
		w.wantsPause = false
	}
	if (w.wantsReload || w.wantsPause) && w.machine.state == Running && !fx.Has(Again) {
		return "a reload or a pause that was asked for was forgotten"
	}
	return ""
}

func (s State) stops() bool { return s == Stopping || s == Stopped }

// perform carries out fx as the shell does, in the order of its bits.
func (w world) perform(fx Effects) (world, string) {
	for bit := Effects(1); bit <= fx; bit <<= 1 {
		if !fx.Has(bit) {
			continue
		}
		if bad := w.performOne(bit); bad != "" {
			return w, bad
		}
	}
	return w, ""
}

// performOne carries out the single effect fx. It returns the rule that fx broke.
func (w *world) performOne(fx Effects) string {
	switch fx {
	case CallStart, CallReload, CallPause, CallContinue, CallStop, CallClose:
		return w.performCall(fx)
	case ArmDeadline, ArmDrain, Interrupt, Release, Expire, ArmGrace:
		return w.performTiming(fx)
	case Join, GiveUp, Flush, Finish:
		return w.performEnd(fx)
	case KeepReason:
		if w.reason {
			return "a second reason"
		}
		w.reason = true
	case LateReason:
		if !w.reason {
			return "a late reason without a first one"
		}
		w.late = true
	case Tell:
		return w.tell(w.machine.state)
	case Again:
		if w.told != Running || !w.wantsReload && !w.wantsPause {
			return "something was repeated that nobody asked for"
		}
	case AddError, ArmStart:
	default:
		return fmt.Sprintf("an unknown effect %b", fx)
	}
	return ""
}

// performTiming begins the budgets, and ends the contexts.
func (w *world) performTiming(fx Effects) string {
	switch fx {
	case ArmDeadline:
		if !w.reason || w.deadlineArmed {
			return "the stop budget began without a reason, or twice"
		}
		w.deadlineArmed = true
	case ArmDrain:
		if w.drainArmed || w.released {
			return "the drain delay began twice, or too late"
		}
		w.drainArmed = true
	case Interrupt:
		if w.running == noCall || w.running == callStart || w.running == callStop {
			return "there is no Reload, Pause or Continue to interrupt"
		}
		w.interrupted = true
	case Release:
		if !w.reason || w.released {
			return "the run's context was ended without a reason, or twice"
		}
		w.released = true
	case Expire:
		if w.expired {
			return "the context of Stop was ended twice"
		}
		w.expired = true
	case ArmGrace:
		if !w.expired || w.graceArmed {
			return "the grace began before the deadline, or twice"
		}
		w.graceArmed = true
	}
	return ""
}

// performCall calls a method of the program.
func (w *world) performCall(fx Effects) string {
	switch fx {
	case CallStart:
		if w.startCalled {
			return "Start was called twice"
		}
		w.startCalled = true
		return w.call(callStart)
	case CallReload:
		if w.told != Reloading {
			return "Reload was called in the wrong state"
		}
		return w.call(callReload)
	case CallPause:
		if w.told != Pausing {
			return "Pause was called in the wrong state"
		}
		return w.call(callPause)
	case CallContinue:
		if w.told != Continuing {
			return "Continue was called in the wrong state"
		}
		return w.call(callContinue)
	case CallStop:
		if w.stopCalled || !w.startOK || !w.released {
			return "Stop was called twice, or without a Start that returned nil, or before the run's context ended"
		}
		w.stopCalled = true
		return w.call(callStop)
	case CallClose:
		if !w.closes || w.closeCalled || !w.startOK || !w.joined {
			return "Close was called twice, or without a Start that returned nil, or before the last goroutine had returned"
		}
		w.closeCalled = true
		return w.call(callClose)
	}
	return ""
}

// performEnd waits for what still runs, or gives it up, and ends the log and the run.
func (w *world) performEnd(fx Effects) string {
	switch fx {
	case Join:
		if w.joinAsked || w.running != noCall || !w.released || w.startOK && !w.stopCalled {
			return "the goroutines were waited for too early, or twice"
		}
		w.joinAsked = true
	case GiveUp:
		if !w.graceOver || w.gaveUp {
			return "given up before the grace was over, or twice"
		}
		w.gaveUp = true
	case Flush:
		if w.flushAsked || (!w.joined || w.running != noCall) && !w.gaveUp {
			return "the log was flushed before all had ended, or twice"
		}
		if w.closes && w.startOK && !w.closeCalled && !w.gaveUp {
			return "Close was not called"
		}
		w.flushAsked = true
	case Finish:
		if w.finished || !w.flushed {
			return "the end was told twice, or before the log was flushed"
		}
		w.finished = true
		return w.tell(Stopped)
	}
	return ""
}

// call records a call of a method of the program. Calls never overlap.
func (w *world) call(c call) string {
	if w.running != noCall {
		return "two methods of the program ran at once"
	}
	w.running = c
	return ""
}

// legal lists the transitions that a manager may see. Microsoft's table of service state
// transitions is the strictest of them.
var legal = map[State][]State{
	Starting:   {Starting, Running, Stopping},
	Running:    {Reloading, Pausing, Stopping},
	Reloading:  {Running, Stopping},
	Pausing:    {Paused, Running, Stopping},
	Paused:     {Continuing, Stopping},
	Continuing: {Running, Paused, Stopping},
	Stopping:   {Stopped},
}

func (w *world) tell(s State) string {
	ok := false
	for _, to := range legal[w.told] {
		ok = ok || to == s
	}
	if !ok {
		return fmt.Sprintf("%s was told after %s", s, w.told)
	}
	if s.Ready() && (!w.startOK || w.reason) {
		return "ready was told before Start returned nil, or while stopping"
	}
	w.told = s
	return ""
}

// consistent checks the rules that hold between any two events.
func (w *world) consistent() string {
	m := w.machine
	switch {
	case m.state != w.told:
		return fmt.Sprintf("the machine is %s, but %s was told", m.state, w.told)
	case w.reason != m.state.stops():
		return "a reason without stopping, or stopping without a reason"
	case w.reason && !w.deadlineArmed:
		return "stopping without a budget"
	case w.reason && !w.drainArmed && !w.released:
		return "the run's context outlives the first reason without a drain delay"
	case w.expired && !w.released:
		return "the run's context outlives the deadline"
	case w.expired && !w.graceArmed:
		return "expired without a grace"
	case w.reason && !w.interrupted && (w.running == callReload || w.running == callPause || w.running == callContinue):
		return "Reload, Pause or Continue goes on undisturbed while stopping"
	case m.outcome == AsAsked && (w.failed || w.forced || w.gaveUp):
		return "a failure looks like success"
	case m.outcome == Failure && (!w.failed || w.forced || w.gaveUp):
		return "something else looks like a failure"
	case m.outcome == GaveUp && (!w.gaveUp || w.forced):
		return "something else looks like giving up"
	case m.outcome == WasForced && !w.forced:
		return "something else looks like a forced end"
	case w.finished && m.state != Stopped:
		return "the end was told, but the machine goes on"
	}
	return ""
}

// ends checks that the run ends if it is asked to stop now and reply answers everything
// outstanding.
func (w world) ends(next stepper, reply func(world) []Event) string {
	w, bad := w.step(next, StopAsked)
	for range 14 {
		if bad != "" || w.finished {
			return bad
		}
		moved := false
		for _, e := range reply(w) {
			if !w.possible(e) {
				continue
			}
			after, bad := w.step(next, e)
			if bad != "" {
				return bad
			}
			if after != w {
				w, moved = after, true
				break
			}
		}
		if !moved {
			return "stuck: nothing that can still happen ends the run"
		}
	}
	return "the run does not end"
}

// everythingReturns lets every call of the program return; nothingReturns lets none.
func everythingReturns(world) []Event {
	return []Event{StartOK, ReloadDone, PauseOK, ContinueOK, DrainOver, StopOK, Joined, CloseOK, FlushDone}
}

func nothingReturns(world) []Event { return []Event{DeadlineOver, GraceOver, FlushDone} }
