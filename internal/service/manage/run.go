package manage

import (
	"bytes"
	"context"

	"github.com/go-glidepath/glidepath/daemon/service"
)

// LastRunner is a Manager that can tell the log of the last run from that of earlier ones.
type LastRunner interface {
	// LastRun returns the last log lines of the current run, or of the last one, with what
	// the manager logged about it.
	LastRun(ctx context.Context, s Spec) (log string, err error)
}

// lastLines bounds how much of a log is read.
const lastLines = 200

// LastRun returns the last log lines of the last run of s.
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

// Confiner is a Manager that can tell what a service is not allowed to do.
type Confiner interface {
	Confined(ctx context.Context, s Spec) Confinement
}

// Confinement describes the account and the sandbox of a service.
type Confinement struct {
	Account    string            // "" if unknown
	Dynamic    bool              // the account exists only while the service runs
	Directives map[string]string // of the sandbox, under their names in systemd
}

// Confined returns the confinement of s, or the zero value if m cannot tell.
func Confined(ctx context.Context, m Manager, s Spec) Confinement {
	if c, ok := m.(Confiner); ok {
		return c.Confined(ctx, s)
	}
	return Confinement{}
}

// Passer is a Manager that can tell with which arguments it starts a service.
type Passer interface {
	// Passes returns false if the service is not installed, or was not installed by this
	// package.
	Passes(ctx context.Context, s Spec) (args []string, ok bool)
}

// Passed returns the arguments with which m starts s. It returns false if m cannot tell.
func Passed(ctx context.Context, m Manager, s Spec) (args []string, ok bool) {
	p, ok := m.(Passer)
	if !ok {
		return nil, false
	}
	return p.Passes(ctx, s)
}
