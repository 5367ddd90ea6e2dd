package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// verb describes a command of the command line.
type verb struct {
	name, summary string
	options       []option
	do            func(*commandLine, context.Context, options) int // returns the exit code
}

// hasFlag reports whether v has a flag called name.
func (v verb) hasFlag(name string) bool {
	return slices.ContainsFunc(v.options, func(o option) bool { return o.name == name })
}

// verbs returns the commands, in the order of a service's life.
func verbs() []verb {
	return []verb{
		{"install", "install the service, or bring it up to date", withTarget(
			toggle("dry-run", "print what would be written and called, without doing it", func(o *options) *bool { return &o.dryRun }),
			toggle("now", "start the service afterwards; restart it if it runs and has changed", func(o *options) *bool { return &o.now }),
			toggle("enable", "enable the service again if it was disabled after it was installed", func(o *options) *bool { return &o.enable }),
			toggle("force", "install even if other users can replace the executable, or over another program's service", func(o *options) *bool { return &o.force }),
			dependentsOption,
		), (*commandLine).install},
		{"uninstall", "stop the service and remove what install made", withTarget(
			toggle("purge", "also remove its directories with all that is in them, and its account", func(o *options) *bool { return &o.purge }),
			dependentsOption,
		), (*commandLine).uninstall},
		{"start", "start the service and wait until it is ready", withTarget(), control("starting", service.Running, (*Handle).Start)},
		{"stop", "stop the service and wait until it has stopped", withTarget(dependentsOption), control("stopping", service.Stopped, (*Handle).Stop)},
		{"restart", "stop the service if it runs, and start it", withTarget(dependentsOption), control("restarting", service.Running, (*Handle).Restart)},
		{"reload", "reload the program's configuration and the log level", withTarget(), control("reloading", service.Running, (*Handle).Reload)},
		{"pause", "pause the service", withTarget(), control("pausing", service.Paused, (*Handle).Pause)},
		{"continue", "resume after a pause", withTarget(), control("continuing", service.Running, (*Handle).Continue)},
		{"status", "print the state; the exit code is 0 if the service runs and is well", withTarget(
			toggle("json", "print one JSON object", func(o *options) *bool { return &o.json }),
		), (*commandLine).status},
		{"logs", "print the service's log", withTarget(logsOptions()...), (*commandLine).logs},
		{"doctor", "find out what keeps the service from running", withTarget(), (*commandLine).doctor},
		{"run", "run the program in the foreground, as without a command", nil, (*commandLine).run},
		{"version", "print the version", nil, (*commandLine).version},
		{"help", "print this help", nil, (*commandLine).help},
	}
}

// execute runs v with the flags in args.
func (c *commandLine) execute(ctx context.Context, v verb, args []string) int {
	return c.executeWith(ctx, v, options{lines: -1}, args)
}

// executeWith runs v with the flags in args and those already in o.
func (c *commandLine) executeWith(ctx context.Context, v verb, o options, args []string) int {
	c.verb = v.name
	o, err := c.parse(v, o, args)
	switch {
	case err != nil:
		return c.usage(err)
	case o.help:
		return c.helpFor(v)
	case v.name == "run": // handles signals itself
		return v.do(c, ctx, o)
	}
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as under nohup
		ends = append(ends, syscall.SIGHUP) // a terminal that hangs up must not leave a change half made
	}
	ctx, stop := signal.NotifyContext(ctx, ends...)
	defer stop()
	if v.name != "logs" { // in "install 2>&1 | head -n 1" the end of head must not leave a change half made
		ignored := make(chan os.Signal, 1) // children would inherit signal.Ignore
		signal.Notify(ignored, syscall.SIGPIPE)
		defer signal.Stop(ignored)
	}
	defer c.notes()
	return v.do(c, ctx, o)
}

// handle returns the handle to the service that o selects.
func (c *commandLine) handle(o options) (*Handle, error) {
	config := c.config
	config.Service.User = config.Service.User || o.user
	if o.instance != "" {
		if !config.Service.Template {
			return nil, usageError("--instance: the service is not a template (Config.Service.Template)")
		}
		config.Service.Instance = o.instance
	}
	h, err := c.manage(c.program, config, c.own...)
	if err == nil {
		h.Dependents = o.dependents
		h.Notice = func(text string) {
			if !slices.Contains(c.notices, text) {
				c.notices = append(c.notices, text)
			}
		}
	}
	return h, err
}

// notes prints the new notices.
func (c *commandLine) notes() {
	for _, text := range c.notices[c.printed:] {
		_, _ = fmt.Fprintf(c.err, "note: %s\n", oneLine(text))
	}
	c.printed = len(c.notices)
}

// failed prints err in one line, and returns its exit code.
func (c *commandLine) failed(err error) int {
	if errors.Is(err, manage.ErrNeeded) {
		err = fmt.Errorf("%w, or use --dependents to stop them as well", err)
	}
	_, _ = fmt.Fprintf(c.err, "%s: %s\n", programName(), oneLine(err.Error()))
	return lsbCode(err)
}

// elsewhere returns how to call the command if a per-user service is installed where the
// system service was asked for, or the other way round. Otherwise it returns "".
func (c *commandLine) elsewhere(ctx context.Context, o options) string {
	if c.config.Service.User {
		return ""
	}
	o.user = !o.user
	h, err := c.handle(o)
	if err != nil {
		return ""
	}
	if s, err := h.Status(ctx); err != nil || s.State == service.NotInstalled {
		return ""
	}
	kind := "system"
	if o.user {
		kind = "per-user"
	}
	return "it is a " + kind + " service: " + c.call(c.verb, o)
}

// failedTo prints err with what the operator can do, and returns its exit code. o selects the
// service.
func (c *commandLine) failedTo(err error, o options) int {
	var u *manage.Unfinished
	switch {
	case errors.As(err, &u):
		err = c.explainUnfinished(err, o, "restart")
	case errors.Is(err, context.Canceled):
		var along dependentsError
		text := "interrupted; the service manager carries on with the request"
		if errors.As(err, &along) {
			text += "; " + along.Error()
		}
		err = errors.New(text)
	case errors.Is(err, service.ErrNotInstalled):
		if other := c.elsewhere(context.Background(), o); other != "" {
			err = fmt.Errorf("%w: %s", err, other)
			break
		}
		err = fmt.Errorf("%w: install it with %s", err, c.call("install", o))
	case errors.Is(err, service.ErrNotRunning):
		err = fmt.Errorf("%w: start it with %s", err, c.call("start", o))
	}
	return c.failed(err)
}

// control returns a command that asks for a state and waits for it.
func control(doing string, want service.State, do func(*Handle, context.Context) error) func(*commandLine, context.Context, options) int {
	return func(c *commandLine, ctx context.Context, o options) int {
		h, err := c.handle(o)
		if err != nil {
			return c.failed(err)
		}
		begun := time.Now()
		err = c.waiting(h, doing+" "+h.Name(), func() error { return do(h, ctx) })
		if err != nil {
			return c.failedTo(err, o)
		}
		s, err := h.Status(ctx)
		if err != nil {
			s = service.Status{State: want} // do has succeeded
		}
		finished := ""
		if want == service.Running {
			finished = h.finishedInWords(s, begun)
		}
		_, _ = fmt.Fprintf(c.out, "%s: %s%s\n", h.Name(), finished, summary(s))
		if last := h.lastWords(s.State); last != "" && want == service.Stopped {
			// The service has stopped as asked, so the command succeeds.
			_, _ = fmt.Fprintf(c.err, "warning: %s: %s\n", h.Name(), last)
		}
		if s.State == service.Failed && want != service.Stopped && finished == "" {
			return exitFailure // it failed after the start
		}
		return 0
	}
}

func (c *commandLine) install(ctx context.Context, o options) int {
	if c.argsErr != nil {
		return c.usage(c.argsErr)
	}
	h, err := c.handle(o)
	if err != nil {
		return c.failed(err)
	}
	options := service.InstallOptions{Start: o.now, Force: o.force, Enable: o.enable}
	if o.dryRun {
		plan, err := h.Plan(ctx, options)
		if err != nil {
			return c.failed(hintForce(err))
		}
		c.describe(h, plan, true)
		return 0
	}
	var done service.Installation
	begun := time.Now()
	err = c.waiting(h, "installing "+h.Name(), func() (err error) {
		done, err = h.Install(ctx, options)
		return err
	})
	switch {
	case done.Manager != "":
		c.describe(h, done, false)
	case errors.Is(err, context.Canceled):
		return c.failed(fmt.Errorf("interrupted, and rolled back: %w", err))
	}
	err = hintForce(err)
	if err != nil {
		return c.failedTo(c.explainInstalled(err, done, o), o)
	}
	s, err := h.Status(ctx)
	switch {
	case err != nil:
	case o.now:
		finished := h.finishedInWords(s, begun)
		_, _ = fmt.Fprintf(c.out, "%s: %s%s\n", h.Name(), finished, summary(s))
		if s.State == service.Failed && finished == "" {
			return exitFailure
		}
	case h.spec.Template && h.spec.Instance == "":
		_, _ = fmt.Fprintf(c.out, "install and start an instance with: %s --instance NAME --now\n", c.call("install", o))
	case s.PID == 0 && (s.State == service.Stopped || s.State == service.Failed):
		_, _ = fmt.Fprintf(c.out, "start it now with: %s\n", c.call("start", o))
	case s.PID != 0 && (len(done.Changes) > 0 || h.outdated(ctx, s) != ""):
		_, _ = fmt.Fprintf(c.out, "apply the changes now with: %s\n", c.call("restart", o))
		return 0
	}
	if err == nil && s.PID != 0 && replaced(h.spec.Executable, s) {
		_, _ = fmt.Fprintf(c.out, "the executable is newer than the running process; restart it with: %s\n", c.call("restart", o))
	}
	return 0
}

// sinceError is the possible error of the time at which a process was started: the kernel
// reports the time of its boot in whole seconds.
const sinceError = 2 * time.Second

// newer reports whether file was written after since. A new executable that is copied over
// the old one usually was.
func newer(file string, since time.Time) bool {
	info, err := os.Stat(file)
	return err == nil && !since.IsZero() && info.ModTime().After(since.Add(sinceError))
}

// hintForce mentions --force if it overrules err.
func hintForce(err error) error {
	if errors.Is(err, service.ErrUnsafe) || errors.Is(err, service.ErrForeign) {
		return fmt.Errorf("%w; or install anyway with --force", err)
	}
	return err
}

// describe prints what an installation does, or, if dry is true, would do.
func (c *commandLine) describe(h *Handle, p service.Installation, dry bool) {
	what := "installed"
	switch {
	case p.Updated && len(p.Changes) == 0:
		what = "nothing to do, it is up to date"
	case p.Updated:
		what = "updated"
	}
	if dry && len(p.Changes) > 0 {
		what = "would be " + what
	}
	_, _ = fmt.Fprintf(c.out, "%s: %s (%s)\n", h.Name(), what, p.Manager)
	if p.Replaces != "" {
		_, _ = fmt.Fprintf(c.out, "it takes over the service that %s installed\n", p.Replaces)
	}
	for _, change := range p.Changes {
		switch {
		case change.Removed:
			c.removed(change.Name)
		case !isFile(change.Name):
			what, text := "new", withNewline(change.New)
			if !change.Added {
				what, text = "changed", change.Diff()
			} else if !dry {
				text = ""
			}
			_, _ = fmt.Fprintf(c.out, "%s: %s\n%s", what, change.Name, text)
		case change.Added && !dry:
			_, _ = fmt.Fprintf(c.out, "+++ %s\n", change.Name)
		case change.Added:
			_, _ = fmt.Fprintf(c.out, "+++ %s\n%s", change.Name, withNewline(change.New))
		default:
			_, _ = fmt.Fprintf(c.out, "--- %[1]s\n+++ %[1]s\n%[2]s", change.Name, change.Diff())
		}
	}
	for _, call := range p.Calls {
		if dry {
			_, _ = fmt.Fprintf(c.out, "call: %s\n", call)
		}
	}
	warnings, defaults := p.Warnings, []string(nil)
	switch {
	case dry:
	case len(p.Changes) == 0:
		warnings = nil // they were printed when the service was installed
	default:
		warnings, defaults = c.splitWarnings(p.Warnings)
	}
	for _, w := range slices.Concat(warnings, c.relative()) {
		_, _ = fmt.Fprintf(c.err, "warning: %s\n", oneLine(w))
	}
	for _, n := range p.Notes {
		_, _ = fmt.Fprintf(c.err, "note: %s\n", oneLine(n))
	}
	if len(defaults) > 0 {
		_, _ = fmt.Fprintf(c.err, "note: %s does not support all defaults of %s; install --dry-run lists what is missing\n", p.Manager, strings.Join(defaults, ", "))
	}
}

// removed prints that name is removed.
func (c *commandLine) removed(name string) {
	if isFile(name) {
		_, _ = fmt.Fprintf(c.out, "--- %s\n", name)
	} else {
		_, _ = fmt.Fprintf(c.out, "removed: %s\n", name)
	}
}

// withNewline ends text with a newline, unless it is empty.
func withNewline(text string) string {
	if text == "" || strings.HasSuffix(text, "\n") {
		return text
	}
	return text + "\n"
}

// isFile reports whether the name of a change is a path. Only paths are printed with +++ and
// ---, so that patch(1) can read the output.
func isFile(name string) bool { return strings.HasPrefix(name, "/") || filepath.IsAbs(name) }

// splitWarnings returns the warnings about what the Config asks for, and the fields of the
// other warnings. Those are about defaults, which are no reason to warn each time.
func (c *commandLine) splitWarnings(warnings []string) (wished, defaults []string) {
	for _, w := range warnings {
		field, _, _ := strings.Cut(w, ":")
		if !isDefault(c.config.Service, field) {
			wished = append(wished, w)
		} else if !slices.Contains(defaults, field) {
			defaults = append(defaults, field)
		}
	}
	return wished, defaults
}

// isDefault reports whether the program leaves a field of s at its default.
func isDefault(s service.Config, field string) bool {
	switch r, h := s.Recovery, s.Hardening; field {
	case "Watchdog":
		return s.Watchdog == 0
	case "Recovery", "Recovery.Never", "Recovery.CrashOnly":
		return !r.Never && !r.CrashOnly && len(r.Delays) == 0 && r.ResetPeriod == 0
	case "Recovery.Delays":
		return len(r.Delays) == 0
	case "Recovery.Reset", "Recovery.ResetPeriod":
		return r.ResetPeriod == 0
	case "Hardening", "Hardening.Profile":
		return h.Profile == ""
	}
	return false
}

func (c *commandLine) uninstall(ctx context.Context, o options) int {
	h, err := c.handle(o)
	if err != nil {
		return c.failed(err)
	}
	var removed []string
	err = c.waiting(h, "uninstalling "+h.Name(), func() (err error) {
		removed, err = h.Uninstall(ctx, o.purge)
		return err
	})
	switch other := ""; {
	case errors.Is(err, service.ErrNotInstalled):
		if other = c.elsewhere(ctx, o); other != "" {
			err = fmt.Errorf("%w: %s", err, other)
		}
		return c.failed(err)
	case err != nil:
		return c.failed(c.explainUnfinished(err, o, "uninstall"))
	}
	_, _ = fmt.Fprintf(c.out, "%s: uninstalled (%s)\n", h.Name(), h.Manager())
	for _, r := range removed {
		c.removed(r)
	}
	return 0
}
