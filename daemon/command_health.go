package daemon

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/host/health"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// asker asks a run of the program called name for its health, see [health.Ask].
type asker func(ctx context.Context, name string, pid int) (health.Answer, error)

// healthProblem returns what is wrong with the process of a running service. It returns "" if
// the process is well or does not answer: it answers only root and the user that it runs as.
func (h *Handle) healthProblem(ctx context.Context, s service.Status) string {
	switch s.State {
	case service.Running, service.Reloading, service.Pausing, service.Paused, service.Continuing:
	default:
		return ""
	}
	if h.ask == nil || s.PID == 0 {
		return ""
	}
	a, err := h.ask(ctx, h.spec.Name, s.PID)
	if errors.Is(err, health.ErrSilent) {
		return err.Error()
	}
	return a.Unhealthy
}

// statusOfRun prints the status where no manager runs, as in a container. It asks the process.
func (c *commandLine) statusOfRun(ctx context.Context, o options) int {
	s, err := c.askRun(ctx)
	switch {
	case errors.Is(err, health.ErrNone):
		s = service.Status{State: service.Stopped, ExitCode: -1, Detail: fmt.Sprintf("%v, and %v", manage.ErrNoManager, err)}
	case err != nil:
		_ = c.failed(fmt.Errorf("ask %s for its status: %w", c.config.Name, err))
		return stateCode(service.Unknown)
	}
	return c.printStatus(c.config.Name, "none", s, "", o)
}

// askRun asks the process of a run for its status, without a manager.
func (c *commandLine) askRun(ctx context.Context) (service.Status, error) {
	a, err := c.ask(ctx, c.config.Name, 0)
	switch {
	case errors.Is(err, health.ErrSilent):
		return service.Status{State: service.Running, PID: a.PID, ExitCode: -1, Unhealthy: err.Error()}, nil
	case err != nil:
		return service.Status{State: service.Unknown}, err
	}
	return service.Status{State: service.State(a.State), PID: a.PID, Since: a.Since, ExitCode: -1, Detail: a.Reason, Unhealthy: a.Unhealthy}, nil
}
