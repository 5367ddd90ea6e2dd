package daemon

import "time"

// alarm identifies a moment that the loop waits for.
type alarm uint8

const (
	startTimeout alarm = iota
	drainDelay
	stopDeadline
	graceOver
	nextTick
	flushTimeout

	numAlarms
)

// alarms holds all alarms on one timer, which is set when the loop begins to wait. That
// makes setting an alarm cheap, so that it does not delay the call of Stop.
type alarms struct {
	due   [numAlarms]time.Time // zero if not set
	timer *time.Timer
	next  time.Time // when the timer fires, zero if it is stopped
}

func (a *alarms) set(x alarm, d time.Duration) { a.due[x] = time.Now().Add(d) }

func (a *alarms) stop(x alarm) { a.due[x] = time.Time{} }

// remaining returns the time until x, and whether x is set.
func (a *alarms) remaining(x alarm) (time.Duration, bool) {
	return time.Until(a.due[x]), !a.due[x].IsZero()
}

// earliest returns the alarm that is due first, and whether any is set.
func (a *alarms) earliest() (x alarm, set bool) {
	for i, due := range a.due {
		if !due.IsZero() && (!set || due.Before(a.due[x])) {
			x, set = alarm(i), true
		}
	}
	return x, set
}

// wait sets the timer and returns its channel, or nil if no alarm is set.
func (a *alarms) wait() <-chan time.Time {
	x, set := a.earliest()
	switch {
	case !set:
		a.stopTimer()
		return nil
	case a.timer == nil:
		a.timer = time.NewTimer(time.Until(a.due[x]))
	case !a.next.Equal(a.due[x]):
		a.timer.Reset(time.Until(a.due[x]))
	}
	a.next = a.due[x]
	return a.timer.C
}

// takeDue returns the earliest alarm if it is due, and unsets it.
func (a *alarms) takeDue() (alarm, bool) {
	a.next = time.Time{} // the timer has fired
	x, set := a.earliest()
	if !set || time.Until(a.due[x]) > 0 {
		return 0, false
	}
	a.stop(x)
	return x, true
}

// stopTimer stops the timer until the next wait.
func (a *alarms) stopTimer() {
	if a.timer != nil {
		a.timer.Stop()
	}
	a.next = time.Time{}
}
