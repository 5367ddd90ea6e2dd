package lifecycle

// call is the method of the program that runs. There is never more than one, so
// that none ever runs beside another.
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

// step is how far the way down has come.
type step uint8

const (
	noStep  step = iota
	drain        // not ready any more, but still serving
	settle       // the run's context has ended; Start, Reload, Pause or Continue has yet to return
	stop         // Stop runs
	join         // the run's goroutines have yet to return
	closing      // Close runs
	flush        // only the log is left
)

// Machine is the state of one run. It is a value; Step returns the next one.
type Machine struct {
	state   State
	step    step
	call    call
	outcome Outcome
	drains  bool // there is a drain delay
	closes  bool // the program has a Close
	started bool // Start returned nil
	failed  bool // something failed, whatever else the outcome says
	expired bool // the stop deadline has passed, or was cut short
	reload  bool // a reload was asked for when it could not begin
	pause   bool // a pause was asked for during a reload
}

// New returns a machine in Starting, and what is to be done first. With drains,
// a program that was ready goes on serving for a while when it is to stop. With
// closes, it has a Close.
func New(drains, closes bool) (Machine, Effects) {
	return Machine{call: callStart, drains: drains, closes: closes}, ArmStart | Tell | CallStart
}

// State is the state that managers are told.
func (m Machine) State() State { return m.state }

// Outcome is how the run has ended, or would end by now.
func (m Machine) Outcome() Outcome { return m.outcome }

// Step says what follows from e. It never refuses an event: one that does not
// fit the state has no effect.
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

// ask begins the way down, once. The first reason wins; a failure that comes
// later makes the outcome worse all the same. With drains, a program that was ready
// goes on serving first.
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

// run enters Running, and goes on to what was asked for meanwhile.
func (m Machine) run() (Machine, Effects) {
	m.state = Running
	if m.reload || m.pause {
		return m, Tell | Again
	}
	return m, Tell
}

// Waiting is what to step with after Again: what was asked for when it could not
// begin.
func (m Machine) Waiting() Event {
	if m.reload {
		return ReloadAsked // first: what is paused has read its configuration
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

// stopping handles what can only happen on the way down.
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
		m.step, m.call = flush, noCall // whenever that call returns, it is too late
		return m, GiveUp | Flush
	}
	return m, 0
}

// joined goes on when the last goroutine has returned: nobody uses any longer what
// Close lets go of.
func (m Machine) joined() (Machine, Effects) {
	if m.closes && m.started {
		m.step, m.call = closing, callClose
		return m, CallClose
	}
	m.step = flush
	return m, Flush
}

// expire ends the context of Stop, once. Stop is called even now if Start
// returned nil: it is the program's only chance to let go of what it holds.
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

// descend takes the next step down if the way is free.
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
