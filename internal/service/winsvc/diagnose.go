package winsvc

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/win32"
)

// Diagnose looks at the service, at what it depends on and at what it consists of.
func (m *Manager) Diagnose(ctx context.Context, s service.Spec) (found []service.Finding) {
	add := func(l service.Level, what, remedy, format string, args ...any) {
		found = append(found, service.Finding{Level: l, What: what, Detail: fmt.Sprintf(format, args...), Remedy: remedy})
	}
	if err := refuse(s); err != nil {
		add(service.Problem, "service", "", "%v", err)
		return found
	}
	name := s.ServiceName()
	err := m.with(ctx, s, accessQueryStatus|accessQueryConfig, func(scm *session, _ string, h handle) error {
		now, err := scm.QueryStatus(h)
		if err != nil {
			return denied("ask for the state of service "+name, err)
		}
		c, err := scm.read(name, h)
		if err != nil {
			return err
		}
		st := m.status(now)
		switch {
		case st.State == service.Failed:
			remedy := "look at the log, and start it again"
			if now.ExitCode == win32.ErrorServiceLogonFailed {
				remedy = kindOf(account(c.Account, name)).remedy(c.Account)
			}
			add(service.Problem, "state", remedy, "it has failed: %s", st.Detail)
		case st.State == service.Stopped:
			add(service.Note, "state", "start it", "%s", strings.TrimSuffix("it is stopped: "+st.Detail, ": "))
		default:
			add(service.OK, "state", "", "it is %s, as process %d", st.State, st.PID)
		}
		switch {
		case c.config.Start == startDisabled:
			add(service.Problem, "start type", "install it with another start type", "it is disabled")
		default:
			add(service.OK, "start type", "", "%s", startType(c.config.Start))
		}
		m.diagnoseExecutable(c, add)
		switch kindOf(account(c.Account, name)) {
		case byPassword:
			add(service.Note, "account", "services.msc grants it, on the page Log On", "%s has a password, which may end, and needs the right to log on as a service", c.Account)
		case byDomain:
			add(service.Note, "account", checkManaged(c.Account), "%s is a managed account: it needs the right to log on as a service, and this machine has to be allowed to retrieve its password", c.Account)
		default:
			add(service.OK, "account", "", "%s", c.Account)
		}
		for _, d := range c.Dependencies {
			m.diagnoseDependency(scm, d, add)
		}
		if c.Mark == "" {
			add(service.Note, "owner", "install takes it over", "it was installed by another tool")
		}
		return nil
	})
	switch {
	case errors.Is(err, service.ErrNotInstalled):
		add(service.Problem, "service", "install it", "it is not installed")
		return found
	case err != nil:
		add(service.Problem, "service", "", "%v", err)
		return found
	}
	switch a, err := m.source(name); {
	case err != nil:
		add(service.Note, "event source", "", "%v", err)
	case !a.Present:
		add(service.Warning, "event source", "install it again", "there is none: the event viewer has no text for what it logs")
	case a.Changed():
		add(service.Note, "event source", "install it again", "it is not as install makes it")
	default:
		add(service.OK, "event source", "", "it is there")
	}
	p, err := m.Plan(ctx, s, true)
	if err != nil {
		add(service.Note, "configuration", "", "it cannot be compared: %v", err)
		return found
	}
	changed := false
	for _, a := range p.Artefacts {
		if a.Changed() {
			changed = true
			add(service.Note, "configuration", "install it again; --dry-run shows the difference", "%s is not as this program would install it", a.Name)
		}
	}
	if !changed {
		add(service.OK, "configuration", "", "it is as this program would install it")
	}
	return found
}

type adder func(l service.Level, what, remedy, format string, args ...any)

func (m *Manager) diagnoseExecutable(c settings, add adder) {
	exe := executable(c.ImagePath)
	_, _, err := m.api.Security(exe)
	switch {
	case missing(err):
		add(service.Problem, "executable", "put it there, or install from where it is", "%s is not there", exe)
		return
	case strings.Contains(exe, " ") && !strings.HasPrefix(c.ImagePath, `"`):
		add(service.Warning, "executable", "install it again", "the path in the command line %s is not quoted: another program can be started in its place", c.ImagePath)
		return
	}
	switch err := m.safe(exe, false); {
	case errors.Is(err, service.ErrUnsafe):
		add(service.Warning, "executable", "who can replace it would run as the service", "%v", err)
	case err != nil:
		add(service.Note, "executable", "", "%v", err)
	default:
		add(service.OK, "executable", "", "%s", exe)
	}
}

func (m *Manager) diagnoseDependency(scm *session, name string, add adder) {
	what := "dependency " + name
	if strings.HasPrefix(name, "+") {
		return // a group
	}
	h, err := scm.open(name, accessQueryStatus)
	switch {
	case errors.Is(err, service.ErrNotInstalled):
		add(service.Problem, what, "install it, or install this service without it", "it does not exist")
		return
	case err != nil:
		add(service.Note, what, "", "%v", err)
		return
	}
	defer scm.Close(h)
	switch now, err := scm.QueryStatus(h); {
	case err != nil:
		add(service.Note, what, "", "%v", err)
	case now.State == win32.Running:
		add(service.OK, what, "", "it runs")
	default:
		add(service.Note, what, "it is started together with this service", "it is %s", states[now.State])
	}
}
