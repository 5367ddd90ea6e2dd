package daemontest

import (
	"math"
	"os"
	"syscall"
	"time"
)

// unit models a service as systemd sees it (src/core/service.c): its state, and how long
// that may last. It has no clock and no goroutine, so tests can try every order of events.
//
//	start ── READY ──► running ── RELOADING ──► reload-notify ── READY ──► running
//	running ── systemctl reload, SIGHUP ──► reload-signal ── RELOADING ──► reload-notify
//	running, reload-… ── STOPPING ──► stop-sigterm
//	all of them ── systemctl stop, SIGTERM ──► stop-sigterm ──► dead or failed
type unit struct {
	notifyReload          bool
	timeoutStart          time.Duration
	timeoutStop, watchdog time.Duration
	expect                string
	kill                  func(os.Signal)                                   // sends a signal to the process
	broken                func(rule notifyRule, format string, args ...any) // reports a violation

	sub          subState
	passed       []string // each ActiveState so far, the current one last
	result       string
	reloadResult string
	reloadBegun  time.Duration // when systemctl requested it
	limit        time.Duration // when the state will have lasted too long, or never
	alive        time.Duration // when the watchdog expires, or never
	announced    announced
	text         string
	errno        int
	gone         bool // the process has ended
	killed       bool // … by systemd
	code         string
	exit         int
}

// subState holds the unit's SubState.
type subState string

const (
	subStart        subState = "start"
	subRunning      subState = "running"
	subReloadSignal subState = "reload-signal" // waits for RELOADING=1
	subReloadNotify subState = "reload-notify" // waits for READY=1
	subStopSigterm  subState = "stop-sigterm"  // waits for the end of the process
	subDead         subState = "dead"
	subFailed       subState = "failed"
)

// The results.
const (
	resultSuccess  = "success"
	resultExitCode = "exit-code"
	resultTimeout  = "timeout"
	resultWatchdog = "watchdog"
	resultProtocol = "protocol"
)

// DefaultTimeoutStartSec and DefaultTimeoutStopSec of systemd-system.conf(5).
const defaultTimeout = 90 * time.Second

const never = time.Duration(math.MaxInt64)

var activeStates = map[string]bool{
	"activating": true, "active": true, "reloading": true, "deactivating": true, "inactive": true, "failed": true,
}

func newUnit(s *Systemd, kill func(os.Signal), broken func(notifyRule, string, ...any)) *unit {
	u := &unit{
		notifyReload: s.Type != "notify",
		timeoutStart: s.TimeoutStart, timeoutStop: s.TimeoutStop, watchdog: s.Watchdog, expect: s.Expect,
		kill: kill, broken: broken,
		result: resultSuccess, reloadResult: resultSuccess, alive: never,
	}
	if u.timeoutStart == 0 {
		u.timeoutStart = defaultTimeout
	}
	if u.timeoutStop == 0 {
		u.timeoutStop = defaultTimeout
	}
	u.enter(subStart, u.timeoutStart)
	return u
}

// active returns the ActiveState.
func (u *unit) active() string {
	switch u.sub {
	case subStart:
		return "activating"
	case subRunning:
		return "active"
	case subReloadSignal, subReloadNotify:
		return "reloading"
	case subStopSigterm:
		return "deactivating"
	case subFailed:
		return "failed"
	}
	return "inactive"
}

func (u *unit) status() SystemdStatus {
	return SystemdStatus{
		ActiveState: u.active(), SubState: string(u.sub), Result: u.result, ReloadResult: u.reloadResult,
		StatusText: u.text, StatusErrno: u.errno, ExecMainCode: u.code, ExecMainStatus: u.exit,
	}
}

// receive processes a datagram of the service in the same order as systemd's
// service_notify_message.
func (u *unit) receive(now time.Duration, text string) {
	n := u.parse(text)
	u.order(now, n)
	switch {
	case n.has("STOPPING=1"):
		if u.sub == subRunning || u.sub == subReloadSignal || u.sub == subReloadNotify {
			// No signal follows: "it's as if we SIGTERM'd it". In start it changes nothing,
			// and the start timeout continues.
			u.enterStop(now)
		}
	case u.announced.stopping: // final since version 259
	case n.has("READY=1"):
		u.ready(now, n)
	case n.has("RELOADING=1"):
		u.reloading(now, n)
	}
	u.announced.note(n)
	if text, ok := n.get("STATUS"); ok {
		u.text = text
	}
	if errno, ok := n.number("ERRNO"); ok {
		u.errno = int(errno)
	}
	if usec, ok := n.number("EXTEND_TIMEOUT_USEC"); ok && usec < infinity {
		u.extend(now, micros(usec))
	}
	switch beat, _ := n.get("WATCHDOG"); beat {
	case "1":
		// WATCHDOG=1 starts the watchdog in every state (systemd 257).
		u.wake(now)
	case "trigger":
		u.abort("has sent WATCHDOG=trigger")
	}
	if usec, ok := n.number("WATCHDOG_USEC"); ok {
		u.watchdog = micros(usec)
		u.wake(now)
	}
}

func (u *unit) ready(now time.Duration, n notification) {
	switch {
	case u.sub == subStart:
		u.enter(subRunning, never)
		u.wake(now)
	case u.sub == subReloadNotify, u.sub == subReloadSignal && n.has("RELOADING=1") && u.fresh(n):
		u.enter(subRunning, never)
	}
}

func (u *unit) reloading(now time.Duration, n notification) {
	switch {
	case u.sub == subReloadSignal && u.fresh(n):
		u.enter(subReloadNotify, u.limit)
	case u.sub == subRunning:
		u.enter(subReloadNotify, later(now, u.timeoutStart))
	}
}

// fresh reports whether a reload began after systemctl requested it.
func (u *unit) fresh(n notification) bool {
	usec, ok := n.number("MONOTONIC_USEC")
	return ok && micros(usec) >= u.reloadBegun.Truncate(time.Microsecond)
}

// extend moves the limits, never to an earlier time: service_extend_timeout.
func (u *unit) extend(now, d time.Duration) {
	u.limit, u.alive = max(u.limit, later(now, d)), max(u.alive, later(now, d))
}

// wake restarts the watchdog's interval.
func (u *unit) wake(now time.Duration) {
	u.alive = never
	if u.watchdog > 0 {
		u.alive = later(now, u.watchdog)
	}
}

// enter changes the state, which may last until limit.
func (u *unit) enter(s subState, limit time.Duration) {
	u.sub, u.limit = s, limit
	if n, is := len(u.passed), u.active(); n == 0 || u.passed[n-1] != is {
		u.passed = append(u.passed, is)
	}
}

func (u *unit) enterStop(now time.Duration) {
	u.enter(subStopSigterm, later(now, u.timeoutStop))
	u.alive = never
}

// stop acts like systemctl stop.
func (u *unit) stop(now time.Duration) {
	if u.gone || u.sub == subStopSigterm {
		return
	}
	u.enterStop(now)
	u.kill(syscall.SIGTERM)
}

// reload acts like systemctl reload. It reports whether the service can be reloaded now.
func (u *unit) reload(now time.Duration) bool {
	if u.sub != subRunning {
		return false
	}
	u.reloadBegun, u.reloadResult = now, resultSuccess
	if u.notifyReload {
		u.enter(subReloadSignal, later(now, u.timeoutStart))
	}
	u.kill(syscall.SIGHUP)
	return true
}

// exited handles the end of the process: service_sigchld_event.
func (u *unit) exited(now time.Duration, code int) {
	if u.gone {
		return
	}
	if u.announced.reloading && !u.announced.stopping {
		u.broken(ruleReloaded, "the service has exited with %d after RELOADING=1, with neither READY=1 nor STOPPING=1", code)
	}
	switch {
	case code != 0:
		u.fail(resultExitCode)
	case u.sub == subStart:
		u.report(resultProtocol, ruleProtocol, "the service has exited with 0 before READY=1, %s after it was started", now)
	}
	u.over("exited", code)
}

// over ends the unit.
func (u *unit) over(code string, status int) {
	u.gone, u.code, u.exit = true, code, status
	u.alive = never
	if u.result == resultSuccess {
		u.enter(subDead, never)
	} else {
		u.enter(subFailed, never)
	}
	if u.expect != "" && u.result != u.expect {
		u.broken(ruleExpect, "the unit has ended with Result=%s", u.result)
	}
}

// fail records the first result other than success.
func (u *unit) fail(result string) {
	if u.result == resultSuccess {
		u.result = result
	}
}

// report records a result that means that a rule was broken.
func (u *unit) report(result string, rule notifyRule, format string, args ...any) {
	u.fail(result)
	if u.expect != result {
		u.broken(rule, format, args...)
	}
}

// next returns the time of the next limit.
func (u *unit) next() time.Duration { return min(u.limit, u.alive) }

// elapse handles the limits up to now.
func (u *unit) elapse(now time.Duration) {
	for u.next() < now {
		if u.alive < u.limit {
			u.abort("has sent no WATCHDOG=1 for " + u.watchdog.String())
		} else {
			u.expire(u.limit)
		}
	}
}

// expire handles a state that has lasted too long: service_dispatch_timer.
func (u *unit) expire(now time.Duration) {
	switch u.sub {
	case subStart:
		u.report(resultTimeout, ruleStart, "the service was not ready %s after it was started", now)
		u.enterStop(now)
		u.kill(syscall.SIGTERM)
	case subReloadSignal, subReloadNotify:
		u.reloadResult = resultTimeout
		if u.announced.reloading {
			u.enter(subReloadNotify, later(now, u.timeoutStart)) // it is still waiting for READY=1
		} else {
			u.enter(subRunning, never)
		}
	case subStopSigterm:
		u.report(resultTimeout, ruleStop, "the process was still there %s after it was started: it gets SIGKILL", now)
		u.killed = true
		u.kill(syscall.SIGKILL)
		u.over("killed", int(syscall.SIGKILL))
	default:
		u.limit = never
	}
}

// abort handles an expired watchdog: SIGABRT makes Go print all stacks and exit with 2.
func (u *unit) abort(why string) {
	u.report(resultWatchdog, ruleWatchdog, "the service %s: it gets SIGABRT", why)
	u.killed = true
	u.kill(syscall.SIGABRT)
	u.over("exited", 2)
}

// later returns the time d after now.
func later(now, d time.Duration) time.Duration {
	if d > never-now {
		return never
	}
	return now + d
}

// micros returns n microseconds as a duration.
func micros(n uint64) time.Duration {
	if n > uint64(never)/uint64(time.Microsecond) {
		return never
	}
	return time.Duration(n) * time.Microsecond
}
