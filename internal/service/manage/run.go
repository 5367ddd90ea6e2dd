package manage

import (
	"bytes"
	"context"

	"github.com/go-glidepath/glidepath/daemon/service"
)

// LastRunner is a Manager that knows which lines of the log are those of the last run.
type LastRunner interface {
	// LastRun returns the last lines of the log of the run that goes on, or has ended
	// last, with what the manager says about it.
	LastRun(ctx context.Context, s Spec) (log string, err error)
}

// lastLines bounds how much of a log is looked at.
const lastLines = 200

// LastRun returns the last lines that the last run of s has logged.
func LastRun(ctx context.Context, m Manager, s Spec) (string, error) {
	if l, ok := m.(LastRunner); ok {
		return l.LastRun(ctx, s)
	}
	var log bytes.Buffer
	if err := m.Logs(ctx, s, LogQuery{LogOptions: service.LogOptions{Lines: lastLines}, LastRun: true}, &log); err != nil {
		return "", err
	}
	return log.String(), nil
}

// Confiner is a Manager that says what a service may not do.
type Confiner interface {
	Confined(ctx context.Context, s Spec) Confinement
}

// Confinement says who a service is, and what its manager keeps from it.
type Confinement struct {
	Account    string            // "" if it is not known
	Dynamic    bool              // the account exists only while the service runs
	Directives map[string]string // of the sandbox, as systemd has them
}

// Confined returns what m keeps from s: nothing if m does not say.
func Confined(ctx context.Context, m Manager, s Spec) Confinement {
	if c, ok := m.(Confiner); ok {
		return c.Confined(ctx, s)
	}
	return Confinement{}
}

// Passer is a Manager that says with which arguments it starts a service.
type Passer interface {
	// Passes returns false if the service is not installed, or not by this package.
	Passes(ctx context.Context, s Spec) (args []string, ok bool)
}

// Passed says with which arguments m starts s. It returns false if m does not say.
func Passed(ctx context.Context, m Manager, s Spec) (args []string, ok bool) {
	p, ok := m.(Passer)
	if !ok {
		return nil, false
	}
	return p.Passes(ctx, s)
}
