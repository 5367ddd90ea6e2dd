package daemontest

import (
	"math"
	"os"
	"syscall"
	"time"
)

// unit is a service as systemd sees it (src/core/service.c): which state it is in, and
// how long that may last. It has no clock and no goroutine, so that every order of
// events can be tried.
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
	passed       []string // each ActiveState so far, the one of now at the end
	result       string
	reloadResult string
	reloadBegun  time.Duration // when systemctl asked for it
	limit        time.Duration // when the state has lasted too long, never if it may last
	alive        time.Duration // when the watchdog bites, never if it sleeps
	said         said
	text         string
	errno        int
	gone         bool // the process has ended
	killed       bool // … by systemd
	code         string
	exit         int
}

// subState is SubState.
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

// active is ActiveState.
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

// receive is a datagram of the service, which is taken apart in the order that systemd
// has: service_notify_message.
func (u *unit) receive(now time.Duration, text string) {
	n := u.parse(text)
	u.order(now, n)
	switch {
	case n.has("STOPPING=1"):
		if u.sub == subRunning || u.sub == subReloadSignal || u.sub == subReloadNotify {
			// No signal follows: "it's as if we SIGTERM'd it". In start it changes
			// nothing, the start timeout goes on.
			u.enterStop(now)
		}
	case u.said.stopping: // since version 259 it is final
	case n.has("READY=1"):
		u.ready(now, n)
	case n.has("RELOADING=1"):
		u.reloading(now, n)
	}
	u.said.note(n)
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
		// In whatever state it is: a sign of life wakes the watchdog (systemd 257).
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

// fresh reports whether a reload has begun after systemctl asked for it.
func (u *unit) fresh(n notification) bool {
	usec, ok := n.number("MONOTONIC_USEC")
	return ok && micros(usec) >= u.reloadBegun.Truncate(time.Microsecond)
}

// extend moves what runs out, never to an earlier time: service_extend_timeout.
func (u *unit) extend(now, d time.Duration) {
	u.limit, u.alive = max(u.limit, later(now, d)), max(u.alive, later(now, d))
}

// wake begins the time of the watchdog.
func (u *unit) wake(now time.Duration) {
	u.alive = never
	if u.watchdog > 0 {
		u.alive = later(now, u.watchdog)
	}
}

// enter is another state, which lasts until limit at the most.
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

// stop is systemctl stop.
func (u *unit) stop(now time.Duration) {
	if u.gone || u.sub == subStopSigterm {
		return
	}
	u.enterStop(now)
	u.kill(syscall.SIGTERM)
}

// reload is systemctl reload. It reports whether the service can be reloaded now.
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

// exited is the end of the process: service_sigchld_event.
func (u *unit) exited(now time.Duration, code int) {
	if u.gone {
		return
	}
	if u.said.reloading && !u.said.stopping {
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

// over is the end.
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

// fail keeps the first result that is not success.
func (u *unit) fail(result string) {
	if u.result == resultSuccess {
		u.result = result
	}
}

// report is a result that says that systemd is not content.
func (u *unit) report(result string, rule notifyRule, format string, args ...any) {
	u.fail(result)
	if u.expect != result {
		u.broken(rule, format, args...)
	}
}

// next is when something runs out.
func (u *unit) next() time.Duration { return min(u.limit, u.alive) }

// elapse is that now has come.
func (u *unit) elapse(now time.Duration) {
	for u.next() < now {
		if u.alive < u.limit {
			u.abort("has given no sign of life for " + u.watchdog.String())
		} else {
			u.expire(u.limit)
		}
	}
}

// expire is a state that has lasted too long: service_dispatch_timer.
func (u *unit) expire(now time.Duration) {
	switch u.sub {
	case subStart:
		u.report(resultTimeout, ruleStart, "the service was not ready %s after it was started", now)
		u.enterStop(now)
		u.kill(syscall.SIGTERM)
	case subReloadSignal, subReloadNotify:
		u.reloadResult = resultTimeout
		if u.said.reloading {
			u.enter(subReloadNotify, later(now, u.timeoutStart)) // it still waits for READY=1
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

// abort is the watchdog: SIGABRT, on which Go prints all stacks and exits with 2.
func (u *unit) abort(why string) {
	u.report(resultWatchdog, ruleWatchdog, "the service %s: it gets SIGABRT", why)
	u.killed = true
	u.kill(syscall.SIGABRT)
	u.over("exited", 2)
}

// later is d from now.
func later(now, d time.Duration) time.Duration {
	if d > never-now {
		return never
	}
	return now + d
}

// micros is a number of microseconds.
func micros(n uint64) time.Duration {
	if n > uint64(never)/uint64(time.Microsecond) {
		return never
	}
	return time.Duration(n) * time.Microsecond
}
