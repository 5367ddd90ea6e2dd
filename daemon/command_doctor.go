package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/listens"
	"github.com/go-glidepath/glidepath/internal/service/system/safe"
)

func (c *commandLine) doctor(ctx context.Context, o options) int {
	h, err := c.handle(o)
	if err != nil {
		return c.failed(err)
	}
	worst := manage.OK
	_, _ = fmt.Fprintf(c.out, "%s on %s\n", h.Name(), h.Manager())
	look := checkup{
		call:      func(name string, own ...string) string { return c.call(name, o, own...) },
		elsewhere: func() string { return c.elsewhere(ctx, o) },
	}
	for _, f := range h.diagnose(ctx, look) {
		worst = max(worst, f.Level)
		_, _ = fmt.Fprintf(c.out, "%-8s %s: %s\n", [...]string{"ok", "note", "warning", "PROBLEM"}[f.Level], f.What, oneLine(f.Detail))
		if f.Remedy != "" {
			_, _ = fmt.Fprintf(c.out, "%8s -> %s\n", "", oneLine(f.Remedy))
		}
	}
	if worst == manage.Problem {
		return exitFailure
	}
	return 0
}

// checkup holds what diagnose needs of the command line.
type checkup struct {
	call      callCommand   // returns what to type to call a command
	elsewhere func() string // returns how to reach the service if it is of the other kind
}

// diagnose checks what is the same for all managers, and adds the findings of the manager.
func (h *Handle) diagnose(ctx context.Context, c checkup) []manage.Finding {
	var found []manage.Finding
	add := func(level manage.Level, what, detail, remedy string) {
		found = append(found, manage.Finding{Level: level, What: what, Detail: detail, Remedy: remedy})
	}
	status, err := h.Status(ctx)
	switch {
	case err != nil:
		add(manage.Problem, "state", err.Error(), "")
	case status.State == service.NotInstalled:
		if other := c.elsewhere(); other != "" {
			add(manage.Problem, "state", summary(status), other)
			break
		}
		add(manage.Problem, "state", summary(status), "install it: "+c.call("install"))
	case status.State == service.Failed:
		add(manage.Problem, "state", summary(status), remedyFor(status.ExitCode, c.call))
	case status.Unhealthy != "":
		add(manage.Problem, "state", summary(status), "its Check fails; the log may say why: "+c.call("logs"))
	case status.State == service.Running:
		add(manage.OK, "state", summary(status), "")
	default:
		add(manage.Note, "state", summary(status), "")
	}
	installed := h.asInstalled(ctx, h.spec)
	installed.Executable = manage.Launches(ctx, h.manager, h.spec)
	barred := diagnoseExecutable(installed, status, c.call, add)
	h.diagnoseSockets(status, add)
	h.diagnoseDrift(ctx, status, c.call, add)
	if status.State != service.NotInstalled && (!h.spec.Template || h.spec.Instance != "") {
		crashed := h.diagnoseCrashes(installed.Executable, time.Now(), add)
		h.diagnoseLastRun(status, time.Now(), add, c.call)
		reported := ""
		if barred {
			reported = installed.Executable
		}
		h.diagnoseLog(ctx, status, crashed, reported, add)
	}
	common := found
	for _, f := range h.manager.Diagnose(ctx, installed) {
		covered := func(c manage.Finding) bool { return c.What == f.What && c.Level >= f.Level }
		if !slices.ContainsFunc(common, covered) {
			found = append(found, f)
		}
	}
	return found
}

type addFinding func(level manage.Level, what, detail, remedy string)

type callCommand = func(name string, own ...string) string

func remedyFor(code int, call callCommand) string {
	switch code {
	case exitConfig:
		return "fix the configuration; the service is not restarted automatically: " + call("logs") + ", then " + call("start")
	case exitStopTimeout:
		return "a Stop or a goroutine did not end in time; the log has the stack of each: " + call("logs")
	}
	return "the last lines of the log say why: " + call("logs")
}

// diagnoseExecutable checks the file that the manager starts. It reports whether the file
// cannot be executed.
func diagnoseExecutable(s manage.Spec, now service.Status, call callCommand, add addFinding) (barred bool) {
	unsafe := safe.Executable(s.Executable, s.User)
	switch {
	case errors.Is(unsafe, service.ErrUnsafe):
		add(manage.Warning, "executable", unsafe.Error(), "whoever can replace it can run any code as the service")
	case unsafe != nil:
		add(manage.Problem, "executable", unsafe.Error(), "put it back, or install the service from where it is now")
		return true
	}
	if why, remedy := safe.Barred(s.Executable); why != "" {
		add(manage.Problem, "executable", why, remedy)
		return true
	}
	if now.PID != 0 && replaced(s.Executable, now) {
		add(manage.Warning, "executable", s.Executable+" is newer than the running process", call("restart"))
		return false
	}
	switch {
	case unsafe != nil:
	case s.User:
		add(manage.OK, "executable", s.Executable+"; nobody else can replace it", "")
	default:
		add(manage.OK, "executable", s.Executable+"; only administrators can replace it", "")
	}
	return false
}

// replaced reports whether file has changed since the process of s was started.
func replaced(file string, s service.Status) bool {
	if runs, err := os.Stat(fmt.Sprintf("/proc/%d/exe", s.PID)); err == nil { // on Linux, as root
		is, err := os.Stat(file)
		return err == nil && !os.SameFile(runs, is)
	}
	return newer(file, s.Since)
}

// diagnoseSockets checks whether the addresses of a service that does not run are free. It
// skips sockets that the manager has opened.
func (h *Handle) diagnoseSockets(s service.Status, add addFinding) {
	if s.State != service.Stopped && s.State != service.Failed || h.spec.StartType == service.OnSocket {
		return
	}
	for _, k := range h.spec.Sockets {
		err := tryListen(k)
		switch {
		case addressInUse(err):
			by := "another program"
			if who := listens.Who(k.Network, k.Address); who != "" {
				by = who
			}
			add(manage.Problem, "socket "+k.Name, k.Address+" is in use by "+by, "stop that, or choose another address")
		case err != nil && !errors.Is(err, os.ErrPermission):
			add(manage.Warning, "socket "+k.Name, err.Error(), "")
		}
	}
}

// tryListen listens at k for a moment.
func tryListen(k service.Socket) error {
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
	return nil // an existing path may be left over, and is replaced
}

// asInstalled returns s with the arguments that the service was installed with, unless the
// command line has arguments of the program.
func (h *Handle) asInstalled(ctx context.Context, s manage.Spec) manage.Spec {
	if h.own > 0 {
		return s
	}
	args, ok := manage.Passed(ctx, h.manager, s)
	if n := len(s.Arguments); ok && len(args) >= n && slices.Equal(args[:n], s.Arguments) {
		s.Arguments = args
	}
	return s
}

// diagnoseDrift compares what is installed with what this program would install.
func (h *Handle) diagnoseDrift(ctx context.Context, s service.Status, call callCommand, add addFinding) {
	if s.State == service.NotInstalled {
		return
	}
	spec := h.asInstalled(ctx, h.spec)
	install := call("install", spec.Arguments[len(h.spec.Arguments)-h.own:]...)
	p, err := h.manager.Plan(ctx, spec, false)
	if errors.Is(err, service.ErrUnsafe) { // diagnoseExecutable reports it
		p, err = h.manager.Plan(ctx, spec, true)
	}
	switch {
	case err != nil && s.Detail == "masked": // the manager reports it
		return
	case errors.Is(err, service.ErrForeign):
		add(manage.Problem, "installation", err.Error(), "rename this service, or replace the other one: "+install+" --force")
		return
	case err != nil:
		add(manage.Warning, "installation", err.Error(), "")
		return
	case p.Changed():
		var names []string
		for _, a := range p.Artefacts {
			if a.Changed() {
				names = append(names, a.Name)
			}
		}
		add(manage.Note, "installation", "not as this program would install it: "+strings.Join(names, ", "),
			"show the difference with "+install+" --dry-run")
	case s.PID != 0 && outdated(p, s) != "":
		add(manage.Warning, "installation", "the process runs with older settings: "+outdated(p, s)+" has changed since it started", call("restart"))
	default:
		add(manage.OK, "installation", "as this program would install it", "")
	}
}

// relative returns a warning for each argument of the service that is a relative path: the
// service runs in another folder.
func (c *commandLine) relative() []string {
	var warnings []string
	for _, a := range c.own {
		_, value, _ := strings.Cut(a, "=")
		for _, path := range []string{a, value} {
			if path == "" || filepath.IsAbs(path) || strings.HasPrefix(path, "-") || !strings.ContainsAny(path, `./\`) {
				continue
			}
			if _, err := os.Stat(path); err == nil {
				warnings = append(warnings, fmt.Sprintf("the argument %q is a relative path, and the service runs in another folder: use an absolute path", a))
				break
			}
		}
	}
	return warnings
}
