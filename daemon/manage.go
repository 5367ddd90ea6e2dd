package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/host/health"
	"github.com/go-glidepath/glidepath/internal/service/detect"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/lock"
)

// Handle is the service that a program is, or can be, on this machine. Its methods may
// be called from any goroutine, one at a time. When a ctx ends they return; what the
// manager has been asked for goes on.
//
// The commands of [Main] are these methods.
type Handle struct {
	// Progress, if not nil, is called when a method begins to wait, with what it waits
	// for in a few words. It is called on the goroutine of that method.
	Progress func(what string)

	// Notice, if not nil, is called with what the operator should know though the method
	// succeeds, one line each: what a tool of the manager has warned of, for example. It is
	// called on the goroutine of that method, and may be told the same more than once.
	Notice func(text string)

	// Dependents lets Stop, Restart and Uninstall, and an Install that restarts, stop the
	// services that run and need this one along, in the right order. After a restart they
	// are started again, and also if one of them, or the service, could not be stopped.
	// Without it, these methods fail before anything has happened if there are any.
	//
	// It is for Windows. systemd and OpenRC stop them along by themselves, and start them
	// again when they restart the service. Other managers know of none.
	Dependents bool

	told func(what string) // hears what has become of these; nil if nobody wants to know

	spec    manage.Spec
	manager manage.Manager
	name    string // of the manager
	lock    func(name string, user bool, doing string) (release func(), err error)
	own     int   // how many of the arguments in spec were on the command line
	ask     asker // nil: nobody is asked
}

// Manage returns the handle to p as a service of this machine, of the user if
// Config.Service.User says so. Installed, it is run with Service.Arguments and args. It
// changes nothing; an error wraps [ErrConfig] if p or c is wrong, [service.ErrNotSupported] if
// there is no manager that it knows.
func Manage(p Program, c Config, args ...string) (*Handle, error) {
	executable, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the executable of this program: %w", err)
	}
	spec, wrong := c.spec(p, filepath.Clean(executable), args)
	if spec.Name == "" {
		return nil, wrong
	}
	h := &Handle{spec: spec, lock: lock.Take, ask: health.Ask, own: len(args)}
	h.manager, err = detect.Find(detect.Options{User: spec.User, More: c.Service.Managers, Name: spec.Name, Command: asWords(append([]string{spec.Executable}, spec.Arguments...)), Progress: func(what string) {
		if h.Progress != nil {
			h.Progress(what)
		}
	}, Notice: func(text string) {
		if h.Notice != nil {
			h.Notice(text)
		}
	}})
	switch {
	case errors.Is(err, manage.ErrNoManager): // where nothing can be installed, nothing is wrong with it
		return nil, err
	case wrong != nil:
		return nil, wrong
	case err != nil:
		return nil, err
	}
	h.name = h.manager.Name()
	return h, nil
}

// Name is what the manager calls the service: Config.Name, or NAME@INSTANCE.
func (h *Handle) Name() string { return h.spec.ServiceName() }

// Manager is what the service manager is called: "systemd", "Windows", "OpenRC".
func (h *Handle) Manager() string { return h.name }

// Plan says what Install would do, and does nothing. It fails where Install would, but
// for want of rights: it needs none.
func (h *Handle) Plan(ctx context.Context, o service.InstallOptions) (service.Installation, error) {
	p, err := h.plan(ctx, o)
	if err != nil {
		return service.Installation{}, fmt.Errorf("install %s: %w", h.Name(), err)
	}
	return h.installation(p), nil
}

func (h *Handle) plan(ctx context.Context, o service.InstallOptions) (*manage.Plan, error) {
	if throwaway(h.spec.Executable) {
		return nil, fmt.Errorf("%s was built by go run, which deletes it when it ends: build the program with go build and install that", h.spec.Executable)
	}
	spec := h.spec
	spec.Enable = o.Enable
	return h.manager.Plan(ctx, spec, o.Force)
}

// Install makes the service, or brings it up to date: all of it, or, on an error,
// nothing. It does not start or restart it but where o says so; until a restart, a
// service that runs goes on with what it was started with. While another process
// installs or uninstalls the service, it fails at once with [service.ErrBusy].
func (h *Handle) Install(ctx context.Context, o service.InstallOptions) (service.Installation, error) {
	release, err := h.alone("install")
	if err != nil {
		return service.Installation{}, err
	}
	defer release()
	var done service.Installation
	p, err := h.plan(ctx, o)
	if err == nil && o.Start {
		err = h.restartable(ctx, p)
	}
	if err == nil {
		done = h.installation(p)
		err = h.manager.Apply(ctx, p)
		done.Warnings = p.Warnings // some are found out only now
	}
	if err != nil {
		return service.Installation{}, fmt.Errorf("install %s: %w", h.Name(), err)
	}
	if !o.Start {
		return done, nil
	}
	if done.Updated {
		s, err := h.manager.Status(ctx, h.spec)
		if err == nil && s.PID != 0 && (len(done.Changes) > 0 || outdated(p, s) != "") {
			return done, h.Restart(ctx)
		}
	}
	return done, h.Start(ctx)
}

// alone takes the lock that keeps other processes from changing the service.
func (h *Handle) alone(doing string) (release func(), err error) {
	if h.lock == nil {
		return func() {}, nil // a test
	}
	release, err = h.lock(h.spec.Name, h.spec.User, doing)
	if errors.Is(err, service.ErrBusy) {
		err = fmt.Errorf("%w; try again when it has ended", err)
	}
	return release, h.wrap(doing, err)
}

// restartable fails if what p changes needs a restart of the service that other services
// are in the way of.
func (h *Handle) restartable(ctx context.Context, p *manage.Plan) error {
	if !p.Installed || !p.Changed() {
		return nil
	}
	d, err := h.dependents(ctx)
	if err != nil {
		return err
	}
	return h.unneeded(d)
}

// outdated returns the file of h's installation that has changed since the process of s was
// started, or "".
func (h *Handle) outdated(ctx context.Context, s service.Status) string {
	p, err := h.plan(ctx, service.InstallOptions{Force: true})
	if err != nil {
		return ""
	}
	return outdated(p, s)
}

// outdated returns the file of the installation that has changed since the process of s was
// started, or "". Only files tell: the settings of a service of Windows have no time.
func outdated(p *manage.Plan, s service.Status) string {
	for _, a := range p.Artefacts {
		if a.Present && filepath.IsAbs(a.Name) && newer(a.Name, s.Since) {
			return a.Name
		}
	}
	return ""
}

// throwaway reports whether go run has built the executable.
func throwaway(executable string) bool {
	return strings.Contains(filepath.ToSlash(executable), "/go-build") && filepath.Base(filepath.Dir(executable)) == "exe"
}

func (h *Handle) installation(p *manage.Plan) service.Installation {
	done := service.Installation{Manager: h.name, Updated: p.Installed, Replaces: p.Replaces, Calls: p.Calls, Warnings: p.Warnings, Notes: p.Notes}
	for _, a := range p.Artefacts {
		if a.Changed() {
			done.Changes = append(done.Changes, service.Change{Name: a.Name, Old: a.Old, New: a.New, Added: !a.Present, Removed: !a.Wanted})
		}
	}
	return done
}

// Uninstall stops the service, waits for that, and removes what Install has made; it
// returns when the name is free again, with what was removed. What the service has
// written stays, but with purge, which removes its directories with all that is in
// them, that of its configuration too, and an account that Install has made. Directories
// that were there before Install are not removed; what Install has taken with Force gets
// its place, its mode and its owner back. With purge it also removes what a
// service has left that is not installed any more. While another process installs or
// uninstalls the service, it fails at once with [service.ErrBusy].
//
// It looks first whether all of it can be removed, and fails before it stops anything if
// not. If it fails later, or ctx ends, a service that ran is started again; the error says
// what has become of it.
func (h *Handle) Uninstall(ctx context.Context, purge bool) (removed []string, err error) {
	release, err := h.alone("uninstall")
	if err != nil {
		return nil, err
	}
	defer release()
	if c, ok := h.manager.(manage.RemovalChecker); ok {
		if err := c.CheckRemoval(ctx, h.spec); err != nil {
			return nil, h.wrap("uninstall", err)
		}
	}
	d, err := h.dependents(ctx)
	if err != nil && !errors.Is(err, service.ErrNotInstalled) {
		return nil, h.wrap("uninstall", err)
	}
	err = h.takeAlong(ctx, d, false, func() (err error) {
		removed, err = manage.Remove(ctx, h.manager, h.spec, purge)
		return err
	})
	if err == nil {
		h.tellsOf("services that still need it: ", slices.Concat(d.Running, d.Stopped))
	}
	return removed, h.wrap("uninstall", err)
}

// Start starts the service, and returns when it is ready: when its Start has returned
// nil, where the manager can tell. It does nothing if it runs. A job that finishes
// meanwhile, with exit code 0, was started successfully.
func (h *Handle) Start(ctx context.Context) error {
	return h.begin(ctx, "start", h.manager.Start)
}

// Stop stops the service, and returns when it has stopped. It does nothing if it does
// not run.
func (h *Handle) Stop(ctx context.Context) error {
	d, err := h.dependents(ctx)
	if err == nil {
		err = h.takeAlong(ctx, d, false, func() error { return h.manager.Stop(ctx, h.spec) })
	}
	return h.wrap("stop", err)
}

// Restart stops the service if it runs, and starts it as Start does. When ctx ends between
// the two, it is started all the same.
func (h *Handle) Restart(ctx context.Context) error {
	d, err := h.dependents(ctx)
	if err != nil {
		return h.wrap("restart", err)
	}
	return h.begin(ctx, "restart", func(ctx context.Context, s manage.Spec) error {
		return h.takeAlong(ctx, d, true, func() error { return manage.Restart(ctx, h.manager, s) })
	})
}

// begin has do start the service.
func (h *Handle) begin(ctx context.Context, what string, do func(context.Context, manage.Spec) error) error {
	begun := time.Now()
	err := do(ctx, h.spec)
	if errors.Is(err, manage.ErrEnded) {
		if h.finished(begun) != nil {
			return nil
		}
		if last := h.lastWordsSince(begun); last != "" {
			err = fmt.Errorf("%w; %s", err, last)
		}
	}
	return h.wrap(what, err)
}

// Reload has a [Reloader] read its configuration anew, and the log of any program read its
// level and open its file anew. It returns when that is done
// where the manager can tell, as systemd and Windows can. Where Reload has failed the
// program goes on as before; that is an error here where the manager passes it on, as
// systemd does, and in the program's log in any case.
func (h *Handle) Reload(ctx context.Context) error {
	return h.wrap("reload", h.manager.Reload(ctx, h.spec))
}

// Pause has a [Pauser] pause, and returns when it has. Only Windows can.
func (h *Handle) Pause(ctx context.Context) error {
	return h.wrap("pause", h.pausable(h.manager.Pause)(ctx, h.spec))
}

// Continue has a [Pauser] that has paused go on, and returns when it does.
func (h *Handle) Continue(ctx context.Context) error {
	return h.wrap("continue", h.pausable(h.manager.Continue)(ctx, h.spec))
}

func (h *Handle) pausable(do func(context.Context, manage.Spec) error) func(context.Context, manage.Spec) error {
	if h.spec.CanPause {
		return do
	}
	return func(context.Context, manage.Spec) error {
		return fmt.Errorf("the program cannot pause: %w", service.ErrNotSupported)
	}
}

func (h *Handle) wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", what, h.Name(), err)
}

// Status asks the manager, and the process of a service that runs whether it is well. The
// manager needs no rights for that; the process answers only root, the user that it runs
// as, and on Windows administrators, within 10 seconds. That the service is not installed
// is no error.
func (h *Handle) Status(ctx context.Context) (service.Status, error) {
	s, err := h.manager.Status(ctx, h.spec)
	if err != nil {
		return service.Status{State: service.Unknown}, h.wrap("get the status of", err)
	}
	h.complete(&s)
	s.Unhealthy = h.unwell(ctx, s)
	return s, nil
}

// lsb is the exit code of a command that has failed: those of the LSB for init scripts
// where they have one, and ours.
func lsb(err error) int {
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		return exitUsage
	case errors.Is(err, ErrConfig):
		return exitConfig
	case errors.Is(err, service.ErrNotSupported):
		return 3
	case errors.Is(err, service.ErrPermission):
		return 4
	case errors.Is(err, service.ErrNotInstalled):
		return 5
	case errors.Is(err, service.ErrNotRunning):
		return 7
	case errors.Is(err, service.ErrBusy):
		return exitBusy
	}
	return exitFailure
}

// stateCode returns the exit code of a state, after the LSB: 0 if the service runs, 1 if it
// has failed, 3 if it does not run, 4 if it is not installed or its state is unknown.
func stateCode(s service.State) int {
	switch s {
	case service.Running, service.Reloading, service.Pausing, service.Paused, service.Continuing:
		return 0
	case service.Failed:
		return 1
	case service.Stopped, service.Starting, service.Stopping:
		return 3
	}
	return 4
}
