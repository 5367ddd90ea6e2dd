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

// Handle manages the service of a program on this machine, whether it is installed or not. Its
// methods may be called from any goroutine, one at a time. They return when ctx ends; the
// manager still completes what it was asked for.
//
// The commands of [Main] call these methods.
type Handle struct {
	// Progress, if not nil, is called when a method begins to wait, with a few words about
	// what it waits for. It is called on the goroutine of that method.
	Progress func(what string)

	// Notice, if not nil, is called with a line that the operator should read although the
	// method succeeds, such as a warning of a tool of the manager. It is called on the goroutine
	// of that method, and may get the same line more than once.
	Notice func(text string)

	// Dependents lets Stop, Restart and Uninstall, and an Install that restarts, also stop
	// the running services that need this one, in the right order. They are started again
	// after a restart, and if one of them, or the service, could not be stopped. If Dependents
	// is false and there are such services, these methods fail before they change anything.
	//
	// It is for Windows. systemd and OpenRC always stop these services, and start them again
	// when they restart the service. Other managers do not know them.
	Dependents bool

	onDependents func(what string) // receives what happened to dependents; may be nil

	spec    manage.Spec
	manager manage.Manager
	name    string // of the manager
	lock    func(name string, user bool, doing string) (release func(), err error)
	own     int   // the number of arguments in spec that come from the command line
	ask     asker // may be nil
}

// Manage returns a handle to p as a service of this machine, or of the current user if
// Config.Service.User is set. The installed service runs with Config.Service.Arguments and
// args. Manage changes nothing. Its error wraps [ErrConfig] if p or c is wrong, and
// [service.ErrNotSupported] if no known service manager runs here.
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
	case errors.Is(err, manage.ErrNoManager): // nothing can be installed here, so the Config does not matter
		return nil, err
	case wrong != nil:
		return nil, wrong
	case err != nil:
		return nil, err
	}
	h.name = h.manager.Name()
	return h, nil
}

// Name returns the name of the service: Config.Name, or NAME@INSTANCE for an instance of a
// template.
func (h *Handle) Name() string { return h.spec.ServiceName() }

// Manager returns the name of the service manager, such as "systemd", "Windows" or "OpenRC".
func (h *Handle) Manager() string { return h.name }

// Plan returns what Install would do, and changes nothing. It needs no privileges, and
// otherwise fails whenever Install would.
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

// Install installs the service, or brings it up to date. On an error it undoes what it has
// done. It does not start or restart the service unless o.Start is set: a running service
// keeps its old settings until it is restarted. If another process is installing or
// uninstalling the service, Install fails at once with [service.ErrBusy].
func (h *Handle) Install(ctx context.Context, o service.InstallOptions) (service.Installation, error) {
	release, err := h.takeLock("install")
	if err != nil {
		return service.Installation{}, err
	}
	defer release()
	var done service.Installation
	p, err := h.plan(ctx, o)
	if err == nil && o.Start {
		err = h.checkRestart(ctx, p)
	}
	if err == nil {
		done = h.installation(p)
		err = h.manager.Apply(ctx, p)
		done.Warnings = p.Warnings // Apply adds some
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

// takeLock takes the lock that keeps other processes from changing the service.
func (h *Handle) takeLock(doing string) (release func(), err error) {
	if h.lock == nil {
		return func() {}, nil // a test
	}
	release, err = h.lock(h.spec.Name, h.spec.User, doing)
	if errors.Is(err, service.ErrBusy) {
		err = fmt.Errorf("%w; try again when it has ended", err)
	}
	return release, h.wrap(doing, err)
}

// checkRestart fails if p needs a restart of the service, and services that need it prevent
// that.
func (h *Handle) checkRestart(ctx context.Context, p *manage.Plan) error {
	if !p.Installed || !p.Changed() {
		return nil
	}
	d, err := h.dependents(ctx)
	if err != nil {
		return err
	}
	return h.checkDependents(d)
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
// started, or "". It sees only files: the settings of a Windows service have no time.
func outdated(p *manage.Plan, s service.Status) string {
	for _, a := range p.Artefacts {
		if a.Present && filepath.IsAbs(a.Name) && newer(a.Name, s.Since) {
			return a.Name
		}
	}
	return ""
}

// throwaway reports whether go run has built executable.
func throwaway(executable string) bool {
	return strings.Contains(filepath.ToSlash(executable), "/go-build") && filepath.Base(filepath.Dir(executable)) == "exe"
}

// installation returns p as callers of Install and Plan see it.
func (h *Handle) installation(p *manage.Plan) service.Installation {
	done := service.Installation{Manager: h.name, Updated: p.Installed, Replaces: p.Replaces, Calls: p.Calls, Warnings: p.Warnings, Notes: p.Notes}
	for _, a := range p.Artefacts {
		if a.Changed() {
			done.Changes = append(done.Changes, service.Change{Name: a.Name, Old: a.Old, New: a.New, Added: !a.Present, Removed: !a.Wanted})
		}
	}
	return done
}

// Uninstall stops the service, waits until it has stopped, and removes what Install has made.
// It returns what was removed, as soon as the name is free again. If another process is
// installing or uninstalling the service, Uninstall fails at once with [service.ErrBusy].
//
// Files written by the service are kept unless purge is true. Then Uninstall also removes the
// directories of the service with all that is in them, including that of its configuration,
// and the account if Install has made it. This also works for what a service has left that is
// no longer installed. Directories that existed before Install are never removed. Those that
// Install took over with Force get their place, mode and owner back.
//
// Uninstall first checks whether everything can be removed, and otherwise fails before it
// stops the service. If it fails later, or ctx ends, it starts a service that ran again; the
// error says in which state the service is now.
func (h *Handle) Uninstall(ctx context.Context, purge bool) (removed []string, err error) {
	release, err := h.takeLock("uninstall")
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
	err = h.withDependents(ctx, d, false, func() (err error) {
		removed, err = manage.Remove(ctx, h.manager, h.spec, purge)
		return err
	})
	if err == nil {
		h.reportServices("services that still need it: ", slices.Concat(d.Running, d.Stopped))
	}
	return removed, h.wrap("uninstall", err)
}

// Start starts the service, and returns when it is ready: when Program.Start has returned nil,
// if the manager can tell. It does nothing if the service runs. A job that finishes in the
// meantime with exit code 0 counts as started.
func (h *Handle) Start(ctx context.Context) error {
	return h.startWith(ctx, "start", h.manager.Start)
}

// Stop stops the service, and returns when it has stopped. It does nothing if the service does
// not run.
func (h *Handle) Stop(ctx context.Context) error {
	d, err := h.dependents(ctx)
	if err == nil {
		err = h.withDependents(ctx, d, false, func() error { return h.manager.Stop(ctx, h.spec) })
	}
	return h.wrap("stop", err)
}

// Restart stops the service if it runs, and starts it as Start does. If ctx ends between the
// two, the service is still started.
func (h *Handle) Restart(ctx context.Context) error {
	d, err := h.dependents(ctx)
	if err != nil {
		return h.wrap("restart", err)
	}
	return h.startWith(ctx, "restart", func(ctx context.Context, s manage.Spec) error {
		return h.withDependents(ctx, d, true, func() error { return manage.Restart(ctx, h.manager, s) })
	})
}

// startWith starts the service with do. It returns nil if the service is a job that has
// finished successfully.
func (h *Handle) startWith(ctx context.Context, what string, do func(context.Context, manage.Spec) error) error {
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

// Reload asks the program to reload, if it is a [Reloader]. In any case the log reads its level
// and opens its file again. Reload returns when that is done, if the manager can tell, as
// systemd and Windows can. If the program's Reload fails, the program continues with its old
// configuration and logs the error. Reload returns the error if the manager passes it on, as
// systemd does.
func (h *Handle) Reload(ctx context.Context) error {
	return h.wrap("reload", h.manager.Reload(ctx, h.spec))
}

// Pause pauses the service, and returns when it has paused. The program must be a [Pauser], and
// only Windows supports it.
func (h *Handle) Pause(ctx context.Context) error {
	return h.wrap("pause", h.pausable(h.manager.Pause)(ctx, h.spec))
}

// Continue resumes a paused service, and returns when it runs. The program must be a [Pauser],
// and only Windows supports it.
func (h *Handle) Continue(ctx context.Context) error {
	return h.wrap("continue", h.pausable(h.manager.Continue)(ctx, h.spec))
}

// pausable returns do if the program is a Pauser, and otherwise a function that fails.
func (h *Handle) pausable(do func(context.Context, manage.Spec) error) func(context.Context, manage.Spec) error {
	if h.spec.CanPause {
		return do
	}
	return func(context.Context, manage.Spec) error {
		return fmt.Errorf("the program cannot pause: %w", service.ErrNotSupported)
	}
}

// wrap adds what was done to which service to err.
func (h *Handle) wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", what, h.Name(), err)
}

// Status asks the manager for the status, and the process of a running service for its health.
// The manager requires no privileges. The process answers within 10 seconds, and only to
// root, the user that it runs as, and administrators of Windows. A service that is not
// installed is not an error.
func (h *Handle) Status(ctx context.Context) (service.Status, error) {
	s, err := h.manager.Status(ctx, h.spec)
	if err != nil {
		return service.Status{State: service.Unknown}, h.wrap("get the status of", err)
	}
	h.complete(&s)
	s.Unhealthy = h.healthProblem(ctx, s)
	return s, nil
}

// lsbCode returns the exit code of a command that has failed with err: the code that the LSB
// defines for init scripts, or our own if there is none.
func lsbCode(err error) int {
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
