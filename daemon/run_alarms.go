package daemon

import "time"

// alarm is a moment that the loop waits for.
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

// alarms are all of them, on one timer that is set when the loop begins to wait:
// setting an alarm costs next to nothing, and the call of Stop does not wait for it.
type alarms struct {
	due   [numAlarms]time.Time // zero if it is not set
	timer *time.Timer
	next  time.Time // when the timer fires, zero if it does not
}

func (a *alarms) set(x alarm, d time.Duration) { a.due[x] = time.Now().Add(d) }

func (a *alarms) stop(x alarm) { a.due[x] = time.Time{} }

// remaining is how long it is until x, if it is set.
func (a *alarms) remaining(x alarm) (time.Duration, bool) {
	return time.Until(a.due[x]), !a.due[x].IsZero()
}

// earliest is the alarm that is due first.
func (a *alarms) earliest() (x alarm, set bool) {
	for i, due := range a.due {
		if !due.IsZero() && (!set || due.Before(a.due[x])) {
			x, set = alarm(i), true
		}
	}
	return x, set
}

// wait returns a channel on which something comes when an alarm is due.
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

// takeDue takes the alarm that is due first, if one is due.
func (a *alarms) takeDue() (alarm, bool) {
	a.next = time.Time{} // the timer has fired
	x, set := a.earliest()
	if !set || time.Until(a.due[x]) > 0 {
		return 0, false
	}
	a.stop(x)
	return x, true
}

func (a *alarms) stopTimer() {
	if a.timer != nil {
		a.timer.Stop()
	}
	a.next = time.Time{}
}
