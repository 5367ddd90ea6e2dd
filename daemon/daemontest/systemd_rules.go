package daemontest

import (
	"fmt"
	"strings"
	"time"
)

// notifyRule quotes or describes a rule in systemd's documentation, and names the page.
type notifyRule string

// The rules for the format of a message.
const (
	ruleLines   notifyRule = `sd_notify(3): a message is "a newline-separated list of variable assignments"`
	ruleSize    notifyRule = "systemd drops a message of more than 4096 bytes whole, and its sender is not told (NOTIFY_BUFFER_MAX)"
	ruleText    notifyRule = `sd_notify(3), STATUS: "a single-line UTF-8 status string"; a message with a zero byte is dropped whole`
	ruleUnknown notifyRule = `sd_notify(3): "Unknown assignments are ignored"; private ones begin with X_`
	ruleTwice   notifyRule = "systemd takes the first of two equal assignments in a message: the other one is lost, or is a line that got into a STATUS"
	ruleValue   notifyRule = "sd_notify(3): READY, RELOADING and STOPPING are 1; ERRNO, MAINPID and EXTEND_TIMEOUT_USEC are positive numbers; a STATUS is one line"
	ruleBarrier notifyRule = `sd_notify(3), BARRIER: "sending 0 or more than 1 file descriptor with this command is a violation of the protocol"`
)

// The rules for the order of messages.
const (
	ruleReady     notifyRule = `sd_notify(3), READY: "service startup is finished, or the service finished re-loading its configuration"`
	ruleStopping  notifyRule = `sd_notify(3), STOPPING: "transitioning to the STOPPING state is final and cannot be undone with another notification"`
	ruleReloaded  notifyRule = `sd_notify(3), RELOADING: a service that sends it "must also send a READY=1 notification when it completed reloading its configuration"`
	ruleReloading notifyRule = "systemd.service(5), Type=notify-reload: RELOADING=1 comes with MONOTONIC_USEC, the time of now, by which systemd tells this reload from one before its request"
	ruleExtend    notifyRule = `sd_notify(3), EXTEND_TIMEOUT_USEC: "extend the startup, runtime or shutdown service timeout corresponding the current state"; where there is none it only holds back the watchdog`
	ruleAlive     notifyRule = "systemd.service(5), WatchdogSec: the watchdog sleeps before the start is complete and once the service stops; WATCHDOG=1 wakes it all the same (systemd 257), and the next one has to follow"
	ruleEnd       notifyRule = "sd_notify(3): a message counts while its sender is there"
)

// The rules for time and for the end.
const (
	ruleStart    notifyRule = "systemd.service(5), TimeoutStartSec: READY=1 has to come within it, or within the time that EXTEND_TIMEOUT_USEC has asked for (Result=timeout)"
	ruleStop     notifyRule = "systemd.service(5), TimeoutStopSec: the process has to end within it, or within the time that EXTEND_TIMEOUT_USEC has asked for (Result=timeout)"
	ruleWatchdog notifyRule = "systemd.service(5), WatchdogSec: WATCHDOG=1 has to come within it, from READY=1 on (Result=watchdog)"
	ruleProtocol notifyRule = "systemd.service(5), Type=notify: a service that exits before READY=1, and was not asked to by systemd, has failed (Result=protocol)"
	ruleExit     notifyRule = "systemd.exec(5), \"Process Exit Codes\": the code is all that systemd learns of how it ended"
	ruleExpect   notifyRule = "Systemd.Expect says something else"
)

// announced records what the service has announced so far.
type announced struct {
	ready     bool // READY=1
	reloading bool // RELOADING=1; READY=1 has to follow
	stopping  bool // STOPPING=1
}

// note records what n announces.
func (s *announced) note(n notification) {
	if n.has("RELOADING=1") {
		s.reloading = true
	}
	if n.has("READY=1") {
		s.ready, s.reloading = true, false
	}
	if n.has("STOPPING=1") {
		s.stopping = true
	}
}

// order reports announcements in n that may not follow earlier ones.
func (u *unit) order(now time.Duration, n notification) {
	ready, reloading, stopping := n.has("READY=1"), n.has("RELOADING=1"), n.has("STOPPING=1")
	switch {
	case stopping && u.announced.stopping:
		u.broken(ruleStopping, "the service has sent STOPPING=1 a second time")
	case stopping && (ready || reloading):
		u.broken(ruleStopping, "the service has sent STOPPING=1 together with READY=1 or RELOADING=1, which are lost")
	case ready && u.announced.stopping:
		u.broken(ruleStopping, "the service has sent READY=1 after STOPPING=1")
	case reloading && u.announced.stopping:
		u.broken(ruleStopping, "the service has sent RELOADING=1 after STOPPING=1")
	case reloading && !u.announced.ready:
		u.broken(ruleReady, "the service has sent RELOADING=1 before READY=1")
	case reloading && u.announced.reloading:
		u.broken(ruleReloaded, "the service has sent RELOADING=1 a second time without READY=1 in between")
	case ready && !reloading && u.announced.ready && !u.announced.reloading:
		u.broken(ruleReady, "the service has sent READY=1 a second time without RELOADING=1 in between")
	}
	if reloading {
		u.stamp(now, n)
	}
	if _, ok := n.get("EXTEND_TIMEOUT_USEC"); ok && u.sub == subRunning && !reloading && !stopping || ok && ready {
		u.broken(ruleExtend, "the service has sent EXTEND_TIMEOUT_USEC when nothing ran out")
	}
	switch beat, _ := n.get("WATCHDOG"); {
	case beat == "1" && u.announced.stopping:
		u.broken(ruleAlive, "the service has sent WATCHDOG=1 after STOPPING=1")
	case beat == "1" && !u.announced.ready && !ready:
		u.broken(ruleAlive, "the service has sent WATCHDOG=1 before READY=1")
	}
}

// stamp reports what is wrong with the time in a RELOADING=1.
func (u *unit) stamp(now time.Duration, n notification) {
	usec, ok := n.number("MONOTONIC_USEC")
	switch {
	case !ok:
		u.broken(ruleReloading, "the service has sent RELOADING=1 without MONOTONIC_USEC")
	case micros(usec) > now:
		u.broken(ruleReloading, "the service has sent MONOTONIC_USEC=%d, %s from now", usec, micros(usec)-now)
	case u.sub == subReloadSignal && !u.fresh(n):
		u.broken(ruleReloading, "the service has sent MONOTONIC_USEC=%d, %s before systemctl asked for the reload", usec, u.reloadBegun-micros(usec))
	}
}

// breaks records that a rule was broken, and what led to it.
func (s *Systemd) breaks(rule notifyRule, format string, args ...any) {
	const last = 12
	var b strings.Builder
	fmt.Fprintf(&b, format, args...)
	fmt.Fprintf(&b, "\n%s\nthe unit was %s (%s)", rule, s.unit.active(), s.unit.sub)
	messages := s.received
	switch n := len(messages) - last; {
	case len(messages) == 0:
		b.WriteString(", and had received nothing")
	case n > 0:
		fmt.Fprintf(&b, ", and had received %d messages, and then:", n)
		messages = messages[n:]
	default:
		b.WriteString(", and had received:")
	}
	for _, m := range messages {
		fmt.Fprintf(&b, "\n%9s  %q", m.At, m.Text)
	}
	s.untold = append(s.untold, b.String())
}
