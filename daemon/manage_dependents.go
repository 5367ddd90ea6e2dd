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

// giveBack is how long services are given to start again that were stopped in vain.
const giveBack = 2 * time.Minute

// dependents returns the services that need this one, none if the manager does not know.
func (h *Handle) dependents(ctx context.Context) (manage.Dependents, error) {
	m, ok := h.manager.(manage.Needed)
	if !ok {
		return manage.Dependents{}, nil
	}
	return m.Dependents(ctx, h.spec)
}

// unneeded fails if services that run need this one and nobody said to stop them along.
func (h *Handle) unneeded(d manage.Dependents) error {
	if len(d.Running) == 0 || d.Along || h.Dependents {
		return nil
	}
	return fmt.Errorf("%w: stop %s first", manage.ErrNeeded, strings.Join(d.Running, ", "))
}

// takeAlong calls do, which stops the service, after the services that need it were stopped.
// They are started again if do has failed, and otherwise if again says so.
func (h *Handle) takeAlong(ctx context.Context, d manage.Dependents, again bool, do func() error) error {
	if err := h.unneeded(d); err != nil {
		return err
	}
	if d.Along {
		return h.together(d, again, do)
	}
	var stopped []string
	for _, name := range d.Running {
		h.waitsFor("stopping " + name)
		if err := h.manager.Stop(ctx, h.other(name)); err != nil {
			return errors.Join(fmt.Errorf("stop %s, which needs it: %w", name, err), h.revive(ctx, stopped))
		}
		stopped = append(stopped, name)
	}
	err := do()
	switch {
	case err != nil:
		return errors.Join(err, h.revive(ctx, stopped))
	case again:
		if err = h.startAgain(ctx, stopped); err == nil {
			h.tellsOf("also restarted: ", stopped)
		}
		return err
	}
	h.tellsOf("also stopped: ", stopped)
	return nil
}

// together calls do where the manager stops along what needs the service.
func (h *Handle) together(d manage.Dependents, again bool, do func() error) error {
	err := do()
	if err == nil && !again {
		h.tellsOf("also stopped: ", d.Running)
	}
	return err
}

// alongError says what has become of services that were stopped along in vain.
type alongError string

func (e alongError) Error() string { return string(e) }

// revive starts services again that were stopped in vain. It returns an error that says what
// has become of them, nil if there are none.
func (h *Handle) revive(ctx context.Context, stopped []string) error {
	if len(stopped) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveBack) // also after an interrupt
	defer cancel()
	if s, err := h.manager.Status(ctx, h.spec); err != nil || s.State == service.Stopped || s.State == service.Failed || s.State == service.NotInstalled {
		return alongError("also stopped; start them once it runs: " + strings.Join(stopped, ", "))
	}
	if err := h.startAgain(ctx, stopped); err != nil {
		return err
	}
	return alongError("also stopped, and started again: " + strings.Join(stopped, ", "))
}

// startAgain starts services in the reverse of the order in which they were stopped. Each
// that fails is in the error.
func (h *Handle) startAgain(ctx context.Context, stopped []string) error {
	var errs []error
	for _, name := range slices.Backward(stopped) {
		h.waitsFor("starting " + name)
		if err := h.manager.Start(ctx, h.other(name)); err != nil {
			errs = append(errs, fmt.Errorf("%s was also stopped, and could not be started again: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

// other is another service of the same manager.
func (h *Handle) other(name string) manage.Spec {
	return manage.Spec{Config: service.Config{User: h.spec.User}, Name: name}
}

func (h *Handle) waitsFor(what string) {
	if h.Progress != nil {
		h.Progress(what)
	}
}

// tellsOf says what has become of services, if there are any.
func (h *Handle) tellsOf(what string, names []string) {
	what += strings.Join(names, ", ")
	switch {
	case len(names) == 0:
	case h.told != nil:
		h.told(what)
	case h.Notice != nil:
		h.Notice(what)
	}
}
