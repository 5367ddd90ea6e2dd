package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// restoreTimeout limits the time to start services again after a failed stop.
const restoreTimeout = 2 * time.Minute

// dependents returns the services that need this one. It returns none if the manager does not
// know them.
func (h *Handle) dependents(ctx context.Context) (manage.Dependents, error) {
	m, ok := h.manager.(manage.Needed)
	if !ok {
		return manage.Dependents{}, nil
	}
	return m.Dependents(ctx, h.spec)
}

// checkDependents fails if running services need this one and Dependents does not allow to stop
// them.
func (h *Handle) checkDependents(d manage.Dependents) error {
	if len(d.Running) == 0 || d.Along || h.Dependents {
		return nil
	}
	return fmt.Errorf("%w: stop %s first", manage.ErrNeeded, strings.Join(d.Running, ", "))
}

// withDependents stops the running services that need this one, and calls do, which stops or
// restarts this one. It starts them again if do fails, and after do if again is true.
func (h *Handle) withDependents(ctx context.Context, d manage.Dependents, again bool, do func() error) error {
	if err := h.checkDependents(d); err != nil {
		return err
	}
	if d.Along {
		return h.stopTogether(d, again, do)
	}
	var stopped []string
	for _, name := range d.Running {
		h.reportProgress("stopping " + name)
		if err := h.manager.Stop(ctx, h.otherService(name)); err != nil {
			return errors.Join(fmt.Errorf("stop %s, which needs it: %w", name, err), h.restoreStopped(ctx, stopped))
		}
		stopped = append(stopped, name)
	}
	err := do()
	switch {
	case err != nil:
		return errors.Join(err, h.restoreStopped(ctx, stopped))
	case again:
		if err = h.startStopped(ctx, stopped); err == nil {
			h.reportServices("also restarted: ", stopped)
		}
		return err
	}
	h.reportServices("also stopped: ", stopped)
	return nil
}

// stopTogether calls do, for a manager that stops the dependents itself.
func (h *Handle) stopTogether(d manage.Dependents, again bool, do func() error) error {
	err := do()
	if err == nil && !again {
		h.reportServices("also stopped: ", d.Running)
	}
	return err
}

// dependentsError says in which state a failed stop has left the dependents.
type dependentsError string

func (e dependentsError) Error() string { return string(e) }

// restoreStopped starts services again after a failed stop. It returns an error that says in
// which state they are, or nil if stopped is empty.
func (h *Handle) restoreStopped(ctx context.Context, stopped []string) error {
	if len(stopped) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), restoreTimeout) // also after an interrupt
	defer cancel()
	if s, err := h.manager.Status(ctx, h.spec); err != nil || s.State == service.Stopped || s.State == service.Failed || s.State == service.NotInstalled {
		return dependentsError("also stopped; start them once it runs: " + strings.Join(stopped, ", "))
	}
	if err := h.startStopped(ctx, stopped); err != nil {
		return err
	}
	return dependentsError("also stopped, and started again: " + strings.Join(stopped, ", "))
}

// startStopped starts services in the reverse of the order in which they were stopped. The
// error holds every failure.
func (h *Handle) startStopped(ctx context.Context, stopped []string) error {
	var errs []error
	for _, name := range slices.Backward(stopped) {
		h.reportProgress("starting " + name)
		if err := h.manager.Start(ctx, h.otherService(name)); err != nil {
			errs = append(errs, fmt.Errorf("%s was also stopped, and could not be started again: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

// otherService returns the Spec of another service of the same manager.
func (h *Handle) otherService(name string) manage.Spec {
	return manage.Spec{Config: service.Config{User: h.spec.User}, Name: name}
}

// reportProgress calls Progress if it is set.
func (h *Handle) reportProgress(what string) {
	if h.Progress != nil {
		h.Progress(what)
	}
}

// reportServices reports what happened to services, if there are any.
func (h *Handle) reportServices(what string, names []string) {
	what += strings.Join(names, ", ")
	switch {
	case len(names) == 0:
	case h.onDependents != nil:
		h.onDependents(what)
	case h.Notice != nil:
		h.Notice(what)
	}
}
