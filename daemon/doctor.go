package daemon

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/safe"
)

func (c *commandLine) doctor(ctx context.Context, o options) int {
	h, err := c.handle(o)
	if err != nil {
		return c.failed(err)
	}
	worst := service.OK
	_, _ = fmt.Fprintf(c.out, "%s on %s\n", h.Name(), h.Manager())
	for _, f := range h.diagnose(ctx, func(name string) string { return c.call(name, o) }) {
		worst = max(worst, f.Level)
		_, _ = fmt.Fprintf(c.out, "%-8s %s: %s\n", [...]string{"ok", "note", "warning", "PROBLEM"}[f.Level], f.What, oneLine(f.Detail))
		if f.Remedy != "" {
			_, _ = fmt.Fprintf(c.out, "%8s -> %s\n", "", oneLine(f.Remedy))
		}
	}
	if worst == service.Problem {
		return exitFailure
	}
	return 0
}

// diagnose looks at what is the same for all managers, and has the manager look at the
// rest. call is how a command is called.
func (h *Handle) diagnose(ctx context.Context, call func(name string) string) []service.Finding {
	var found []service.Finding
	add := func(level service.Level, what, detail, remedy string) {
		found = append(found, service.Finding{Level: level, What: what, Detail: detail, Remedy: remedy})
	}
	status, err := h.Status(ctx)
	switch {
	case err != nil:
		add(service.Problem, "state", err.Error(), "")
	case status.State == StateNotInstalled:
		add(service.Problem, "state", status.summary(), "install it: "+call("install"))
	case status.State == StateFailed:
		add(service.Problem, "state", status.summary(), remedyFor(status.ExitCode, call))
	case status.State == StateRunning:
		add(service.OK, "state", status.summary(), "")
	default:
		add(service.Note, "state", status.summary(), "")
	}
	installed := h.spec
	installed.Executable = service.Launches(ctx, h.manager, h.spec)
	diagnoseExecutable(installed, add)
	h.diagnoseSockets(status, add)
	h.diagnoseDrift(ctx, status, call("install"), add)
	if status.State != StateNotInstalled {
		crashed := h.diagnoseCrashes(installed.Executable, time.Now(), add)
		h.diagnoseLastRun(status, time.Now(), add, call)
		h.diagnoseLog(ctx, status, crashed, add)
	}
	common := found
	for _, f := range h.manager.Diagnose(ctx, installed) {
		said := func(c service.Finding) bool { return c.What == f.What && c.Level >= f.Level }
		if !slices.ContainsFunc(common, said) {
			found = append(found, f)
		}
	}
	return found
}

type addFinding func(level service.Level, what, detail, remedy string)

func remedyFor(code int, call func(name string) string) string {
	switch code {
	case exitConfig:
		return "mend the configuration; the manager does not try again by itself: " + call("logs") + ", then " + call("start")
	case exitStopTimeout:
		return "a Stop, or a goroutine, does not end in time; the log has the stack of each: " + call("logs")
	}
	return "the last lines of the log say why: " + call("logs")
}

// diagnoseExecutable looks at the file that the manager starts.
func diagnoseExecutable(s service.Spec, add addFinding) {
	unsafe := safe.Executable(s.Executable, s.User)
	switch {
	case errors.Is(unsafe, ErrUnsafe):
		add(service.Warning, "executable", unsafe.Error(), "who can replace it runs what they like as the service")
	case unsafe != nil:
		add(service.Problem, "executable", unsafe.Error(), "put it back, or install the service anew from where it is")
		return
	}
	if why, remedy := safe.Barred(s.Executable); why != "" {
		add(service.Problem, "executable", why, remedy)
		return
	}
	switch {
	case unsafe != nil:
	case s.User:
		add(service.OK, "executable", s.Executable+"; nobody else can replace it", "")
	default:
		add(service.OK, "executable", s.Executable+"; only administrators can replace it", "")
	}
}

// diagnoseSockets tries whether what the service listens at is free. Who the manager
// has given it to already is not asked.
func (h *Handle) diagnoseSockets(s Status, add addFinding) {
	if s.State != StateStopped && s.State != StateFailed || h.spec.Start == service.OnSocket {
		return
	}
	for _, k := range h.spec.Sockets {
		err := try(k)
		switch {
		case addressInUse(err):
			add(service.Problem, "socket "+k.Name, k.Network+" "+k.Address+" is taken by another program", "stop that, or choose another address")
		case err != nil && !errors.Is(err, os.ErrPermission):
			add(service.Warning, "socket "+k.Name, err.Error(), "")
		}
	}
}

// try listens at k for a moment.
func try(k service.Socket) error {
	switch k.Network {
	case "tcp":
		l, err := net.Listen(k.Network, k.Address)
		if err != nil {
			return err
		}
		return l.Close()
	case "udp":
		l, err := net.ListenPacket(k.Network, k.Address)
		if err != nil {
			return err
		}
		return l.Close()
	}
	return nil // a path that is there may be a left-over, which is replaced
}

// diagnoseDrift compares what is installed with what this program would install.
func (h *Handle) diagnoseDrift(ctx context.Context, s Status, install string, add addFinding) {
	if s.State == StateNotInstalled {
		return
	}
	p, err := h.manager.Plan(ctx, h.spec, false)
	if errors.Is(err, ErrUnsafe) { // which is said of the executable
		p, err = h.manager.Plan(ctx, h.spec, true)
	}
	switch {
	case errors.Is(err, ErrForeign):
		add(service.Problem, "installation", err.Error(), "give this one another name, or replace that one: "+install+" --force")
		return
	case err != nil:
		add(service.Warning, "installation", err.Error(), "")
		return
	case p.Changed():
		var names []string
		for _, a := range p.Artefacts {
			if a.Changed() {
				names = append(names, a.Name)
			}
		}
		add(service.Note, "installation", "not as this program would install it now: "+strings.Join(names, ", "),
			"look at the difference with "+install+" --dry-run, and before that the flags that it was installed with")
	default:
		add(service.OK, "installation", "as this program would install it", "")
	}
}

// hints are what programs log when they cannot run, and what that means.
var hints = []struct{ sign, means, remedy string }{
	{"address already in use", "an address that it listens at is taken", "find out by whom, with ss -ltnp or netstat -abno"},
	{"Only one usage of each socket address", "an address that it listens at is taken", "find out by whom, with netstat -abno"},
	{"bind: permission denied", "it may not listen at a port below 1024", "Hardening.Profile is to be HardenLowPorts, or the port another one"},
	{"read-only file system", "it writes where its sandbox does not let it", "have it write to its own directories, or name the path in Hardening.WritablePaths"},
	{"permission denied", "its account, or its sandbox, does not let it do something", "have it use its own directories, or change the account or the rights of the file"},
	{"Access is denied", "its account does not let it do something", "give the account the right, or have it use its own directories"},
	{"operation not permitted", "its account, or its sandbox, does not let it do something", "Hardening.Capabilities has what it may need; or try HardenLenient"},
	{"address family not supported", "its sandbox does not know that kind of socket", "Hardening.AddressFamilies has what it may need"},
	{"too many open files", "it has opened as many files as it may", "raise Limits.OpenFiles"},
	{"no such file or directory", "a file that it needs is not there", "paths are those that the service sees: absolute ones, and not below /home or /tmp"},
	{"panic: ", "it has crashed", "the log has the stack"},
	{"fatal error: ", "Go has given up", "the log has the stack"},
}

// crashSigns are those of the hints that tell of a crash.
var crashSigns = []string{"panic: ", "fatal error: "}

// diagnoseLog looks for what is known in the last lines of the log. That of a crash that
// has been told of has its text there as well, from the next start.
func (h *Handle) diagnoseLog(ctx context.Context, s Status, crashed bool, add addFinding) {
	const lines = 40
	var log bytes.Buffer
	if err := h.manager.Logs(ctx, h.spec, service.LogQuery{Lines: lines}, &log); err != nil {
		add(service.Note, "log", err.Error(), "")
		return
	}
	text, level := without(log.String(), logElsewhere), service.Warning
	if s.State == StateRunning {
		text, level = of(s.PID, text), service.Note
	}
	for _, hint := range hints {
		if crashed && slices.Contains(crashSigns, hint.sign) {
			continue
		}
		if i := strings.LastIndex(text, hint.sign); i >= 0 {
			before, after := text[:i], text[i:]
			line := before[strings.LastIndexByte(before, '\n')+1:] + strings.SplitN(after, "\n", 2)[0]
			add(level, "log", hint.means+": "+strings.TrimSpace(line), hint.remedy)
			return // one is enough: the others follow from it, or are older
		}
	}
}

// without is a log without the lines that say so.
func without(log, what string) string {
	rest := ""
	for line := range strings.Lines(log) {
		if !strings.Contains(line, what) {
			rest += line
		}
	}
	return rest
}

// of are the lines of a log that a process has written, in the manner of syslog; all of
// them where it does not say which process that was. What an earlier one has complained
// of is no news.
func of(pid int, log string) string {
	sign, own := fmt.Sprintf("[%d]: ", pid), ""
	for line := range strings.Lines(log) {
		if strings.Contains(line, sign) {
			own += line
		}
	}
	return cmp.Or(own, log)
}

// relative warns of arguments of the service that are paths of where the operator is
// now, which the service will not be.
func (c *commandLine) relative() []string {
	var warnings []string
	for _, a := range c.own {
		_, value, _ := strings.Cut(a, "=")
		for _, path := range []string{a, value} {
			if path == "" || filepath.IsAbs(path) || strings.HasPrefix(path, "-") || !strings.ContainsAny(path, `./\`) {
				continue
			}
			if _, err := os.Stat(path); err == nil {
				warnings = append(warnings, fmt.Sprintf("the argument %q is a path of this folder; the service runs in another one and will not find it: give the whole path", a))
				break
			}
		}
	}
	return warnings
}
