package winsvc

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/win32"
)

// Status returns the status of the service. It needs only rights that every user has.
func (m *Manager) Status(ctx context.Context, s manage.Spec) (service.Status, error) {
	st := service.Status{State: service.NotInstalled, ExitCode: -1}
	err := m.with(ctx, s, accessQueryStatus|accessQueryConfig, func(scm *session, name string, h handle) error {
		now, err := scm.QueryStatus(h)
		if err != nil {
			return denied("query the state of service "+name, err)
		}
		c, err := scm.QueryConfig(h)
		if err != nil {
			return denied("read the configuration of service "+name, err)
		}
		st = m.status(now)
		st.StartType = start(c.Start)
		if i, err := scm.QueryInfo(h, levelDelayed); err == nil && i.Flag && st.StartType == service.Automatic {
			st.StartType = service.Delayed
		}
		return nil
	})
	if errors.Is(err, service.ErrPermission) {
		// The descriptor of the service may let users read its state only.
		err = m.with(ctx, s, accessQueryStatus, func(scm *session, name string, h handle) error {
			now, err := scm.QueryStatus(h)
			if err != nil {
				return denied("query the state of service "+name, err)
			}
			st = m.status(now)
			return nil
		})
	}
	if errors.Is(err, service.ErrNotInstalled) {
		return st, nil
	}
	return st, err
}

// status converts a status of Windows.
func (m *Manager) status(now status) service.Status {
	st := service.Status{State: states[now.State], PID: int(now.PID), ExitCode: -1}
	switch {
	case st.State == "":
		st.State = service.Unknown
		st.Detail = fmt.Sprintf("state %d", now.State)
	case now.State == win32.Stopped && now.ExitCode == win32.ErrorServiceNeverStarted:
		st.Detail = win32.ErrorServiceNeverStarted.Error()
	case now.State == win32.Stopped && now.ExitCode != win32.NoError:
		st.State = service.Failed
		st.Detail, st.ExitCode = ended(now)
	case now.State == win32.Stopped:
		st.ExitCode = 0
	case pending(now.State):
		st.Detail = fmt.Sprintf("checkpoint %d, wait hint %s", now.CheckPoint, now.WaitHint)
	}
	if now.PID != 0 {
		// Not every user may look at every process.
		if t, err := m.api.Started(now.PID); err == nil {
			st.Since = t
		}
	}
	return st
}

// start converts a start type of Windows.
func start(t uint32) service.StartType {
	switch t {
	case startAutomatic:
		return service.Automatic
	case startDemand:
		return service.Manual
	case startDisabled:
		return service.Disabled
	}
	return ""
}
