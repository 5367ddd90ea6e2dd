package lifecycle

// call identifies the method of the program that runs. At most one runs at a time.
type call uint8

const (
	noCall call = iota
	callStart
	callReload
	callPause
	callContinue
	callStop
	callClose
)

// step identifies how far stopping has come.
type step uint8

const (
	noStep  step = iota
	drain        // not ready any more, but still serving
	settle       // the run's context has ended; Start, Reload, Pause or Continue has not returned yet
	stop         // Stop runs
	join         // some of the run's goroutines have not returned yet
	closing      // Close runs
	flush        // only flushing the log is left
)

// Machine holds the state of one run. It is a value: Step returns the next one.
type Machine struct {
	state   State
	step    step
	call    call
	outcome Outcome
	drains  bool // there is a drain delay
	closes  bool // the program has a Close
	started bool // Start returned nil
	failed  bool // something failed; the outcome may say something worse
	expired bool // the stop deadline has passed, or the stop was forced
	reload  bool // a reload was requested but could not begin
	pause   bool // a pause was requested during a reload
}

// New returns a machine in the state Starting, and the first effects. If drains is true, a
// ready program serves for a while longer when it is told to stop. If closes is true, the
// program has a Close method.
func New(drains, closes bool) (Machine, Effects) {
	return Machine{call: callStart, drains: drains, closes: closes}, ArmStart | Tell | CallStart
}

// State returns the state that managers are told.
func (m Machine) State() State { return m.state }

// Outcome returns how the run ended, or how it would end if it ended now.
func (m Machine) Outcome() Outcome { return m.outcome }

// Step returns the machine after e, and the effects that follow. It accepts every event:
// one that does not fit the state has no effect.
func (m Machine) Step(e Event) (Machine, Effects) {
	switch e {
	case StopAsked:
		return m.ask(AsAsked, m.drains)
	case Finished:
		return m.ask(AsAsked, false)
	case Failed:
		return m.ask(Failure, m.drains)
	case StartExpired:
		if m.state != Starting {
			return m, 0
		}
		return m.ask(Failure, m.drains)
	case StartOK, StartFailed, StartCancelled:
		return m.startReturned(e)
	case ReloadAsked, ReloadDone:
		return m.reloading(e)
	case PauseAsked, PauseOK, PauseFailed, ContinueAsked, ContinueOK, ContinueFailed:
		return m.pausing(e)
	default:
		if m.state != Stopping {
			return m, 0
		}
		return m.stopping(e)
	}
}

// ask begins stopping, once. The first reason wins, but a later failure still makes the
// outcome worse. If drains is true, a ready program serves for the drain delay first.
func (m Machine) ask(o Outcome, drains bool) (Machine, Effects) {
	switch {
	case m.state == Stopped || m.step == flush:
		return m, 0
	case m.state == Stopping && o == AsAsked:
		return m, LateReason
	case m.state == Stopping:
		m.fail()
		return m, AddError
	}
	fx := KeepReason | ArmDeadline | Tell
	if m.call != noCall && m.call != callStart {
		fx |= Interrupt
	}
	ready := m.state.Ready()
	m.state, m.reload, m.pause = Stopping, false, false
	if o == Failure {
		m.fail()
	}
	if ready && drains {
		m.step = drain
		return m, fx | ArmDrain
	}
	return m.release(fx)
}

func (m *Machine) fail() {
	m.failed = true
	m.outcome = max(m.outcome, Failure)
}

func (m Machine) startReturned(e Event) (Machine, Effects) {
	if m.call != callStart || e == StartCancelled && m.state != Stopping {
		return m, 0
	}
	m.call = noCall
	m.started = e == StartOK
	switch {
	case m.state == Stopping && e == StartFailed:
		m.fail()
		return m.descend(AddError)
	case m.state == Stopping:
		return m.descend(0)
	case m.started:
		return m.run()
	}
	return m.ask(Failure, m.drains)
}

// run enters Running, and continues with a reload or pause that was requested meanwhile.
func (m Machine) run() (Machine, Effects) {
	m.state = Running
	if m.reload || m.pause {
		return m, Tell | Again
	}
	return m, Tell
}

// Waiting returns the event to step with after Again: the request that could not begin
// earlier.
func (m Machine) Waiting() Event {
	if m.reload {
		return ReloadAsked // first, because a paused program has its new configuration then
	}
	return PauseAsked
}

func (m Machine) reloading(e Event) (Machine, Effects) {
	switch {
	case m.state == Stopped:
		return m, 0
	case e == ReloadDone && m.call == callReload:
		m.call = noCall
		if m.state == Stopping {
			return m.descend(0)
		}
		return m.run()
	case e == ReloadDone || m.state == Stopping:
		return m, 0
	case m.state == Running:
		m.state, m.call, m.reload = Reloading, callReload, false
		return m, Tell | CallReload
	}
	m.reload = true
	return m, 0
}

func (m Machine) pausing(e Event) (Machine, Effects) {
	switch {
	case e == PauseAsked && m.state == Running:
		m.state, m.call, m.pause = Pausing, callPause, false
		return m, Tell | CallPause
	case e == PauseAsked && m.state == Reloading:
		m.pause = true
		return m, 0
	case e == ContinueAsked && m.state == Paused:
		m.state, m.call = Continuing, callContinue
		return m, Tell | CallContinue
	case (e == PauseOK || e == PauseFailed) && m.call == callPause,
		(e == ContinueOK || e == ContinueFailed) && m.call == callContinue:
		m.call = noCall
		if m.state == Stopping {
			return m.descend(0)
		}
		if e == PauseOK || e == ContinueFailed {
			m.state = Paused
			return m, Tell
		}
		return m.run()
	}
	return m, 0
}

// stopping handles the events that can only happen while stopping.
func (m Machine) stopping(e Event) (Machine, Effects) {
	switch {
	case e == DrainOver && m.step == drain:
		return m.release(0)
	case (e == StopOK || e == StopFailed) && m.step == stop:
		m.call = noCall
		if e == StopFailed {
			m.fail()
			return m.descend(AddError)
		}
		return m.descend(0)
	case e == Joined && m.step == join:
		return m.joined()
	case (e == CloseOK || e == CloseFailed) && m.step == closing:
		m.step, m.call = flush, noCall
		if e == CloseFailed {
			m.fail()
			return m, AddError | Flush
		}
		return m, Flush
	case e == FlushDone && m.step == flush:
		m.state, m.step = Stopped, noStep
		return m, Finish
	case e == Forced && m.step < flush:
		m.outcome = WasForced
		return m.expire()
	case e == DeadlineOver && m.step < flush:
		return m.expire()
	case e == GraceOver && m.expired && m.step < flush:
		m.outcome = max(m.outcome, GaveUp)
		m.step, m.call = flush, noCall // when that call returns, it is too late
		return m, GiveUp | Flush
	}
	return m, 0
}

// joined continues after the last goroutine returned: nothing uses the resources any more
// that Close releases.
func (m Machine) joined() (Machine, Effects) {
	if m.closes && m.started {
		m.step, m.call = closing, callClose
		return m, CallClose
	}
	m.step = flush
	return m, Flush
}

// expire ends the context of Stop, once. If Start returned nil, Stop is still called: it is
// the program's only chance to release its resources.
func (m Machine) expire() (Machine, Effects) {
	if m.expired {
		return m, 0
	}
	m.expired = true
	if m.step == drain {
		return m.release(Expire | ArmGrace)
	}
	return m, Expire | ArmGrace
}

// release ends the run's context.
func (m Machine) release(fx Effects) (Machine, Effects) {
	m.step = settle
	return m.descend(fx | Release)
}

// descend takes the next step of stopping, unless a call is still running.
func (m Machine) descend(fx Effects) (Machine, Effects) {
	switch {
	case m.call != noCall:
		return m, fx
	case m.step == settle && m.started:
		m.step, m.call = stop, callStop
		return m, fx | CallStop
	case m.step == settle || m.step == stop:
		m.step = join
		return m, fx | Join
	}
	return m, fx
}
