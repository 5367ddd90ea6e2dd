package kardianos

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/script"
	"github.com/go-glidepath/glidepath/internal/service/syslogfile"
)

// do has kardianos/service do something, and says where to find what it has lost.
func (d dialect) do(s service.Spec, verb func(control) error) error {
	k, err := d.open(d.system, d.config(s))
	if err != nil {
		return err
	}
	if err := verb(k); err != nil {
		tool := "initctl status " + s.ServiceName()
		if d.system == src {
			tool = "lssrc -s " + s.ServiceName()
		}
		return fmt.Errorf("%w (kardianos/service; %s may tell more)", err, tool)
	}
	return nil
}

func (d dialect) Start(_ context.Context, s service.Spec, _ service.Status) error {
	return d.do(s, control.Start)
}

func (d dialect) Stop(ctx context.Context, s service.Spec, _ service.Status) error {
	if err := d.do(s, control.Stop); err != nil {
		return err
	}
	return script.AwaitStopped(ctx, s.ServiceName(), 100*time.Millisecond, time.Minute, func() (bool, error) {
		st, err := d.Status(ctx, s, "")
		return st.State == service.Stopped, err
	})
}

// Reload implements script.Dialect. kardianos/service has none.
func (d dialect) Reload(ctx context.Context, s service.Spec, _ string) error {
	st, err := d.Status(ctx, s, "")
	if err == nil && st.PID == 0 {
		err = service.ErrNotRunning
	}
	if err == nil {
		_, err = d.Runner()(ctx, "kill", "-HUP", strconv.Itoa(st.PID))
	}
	return err
}

// Logs implements logger. Upstart has the standard error in a file; AIX has none.
func (d dialect) Logs(ctx context.Context, s service.Spec, q service.LogQuery, w io.Writer) error {
	if d.system == src {
		return fmt.Errorf("%w: AIX keeps nothing of what a service writes; see the file that it logs to itself", service.ErrNotSupported)
	}
	return syslogfile.WriteFile(ctx, d.Tree, d.Layout(s).Log, q, w)
}

func (dialect) Diagnose(context.Context, service.Spec, service.Status) []service.Finding { return nil }
