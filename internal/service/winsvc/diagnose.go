package winsvc

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/win32"
)

// Diagnose checks the service, the services that it depends on, and everything that an
// installation consists of.
func (m *Manager) Diagnose(ctx context.Context, s manage.Spec) []manage.Finding {
	d := diagnosis{manager: m}
	if err := refuse(s); err != nil {
		d.add(manage.Problem, "service", "", "%v", err)
		return d.found
	}
	err := m.with(ctx, s, accessQueryStatus|accessQueryConfig, d.service)
	switch {
	case errors.Is(err, service.ErrNotInstalled):
		d.add(manage.Problem, "service", "install it", "it is not installed")
		return d.found
	case err != nil:
		d.add(manage.Problem, "service", "", "%v", err)
		return d.found
	}
	d.source(s.ServiceName())
	d.changes(ctx, s)
	return d.found
}

// diagnosis collects findings.
type diagnosis struct {
	manager *Manager
	found   []manage.Finding
}

func (d *diagnosis) add(l manage.Level, what, remedy, format string, args ...any) {
	d.found = append(d.found, manage.Finding{Level: l, What: what, Detail: fmt.Sprintf(format, args...), Remedy: remedy})
}

// service checks the state and the configuration of the service.
func (d *diagnosis) service(scm *session, name string, h handle) error {
	now, err := scm.QueryStatus(h)
	if err != nil {
		return denied("query the state of service "+name, err)
	}
	c, err := scm.read(name, h)
	if err != nil {
		return err
	}
	d.state(now, account(c.Account, name), c.Account)
	if c.config.Start == startDisabled {
		d.add(manage.Problem, "start type", "install it with another start type", "it is disabled")
	} else {
		d.add(manage.OK, "start type", "", "%s", startType(c.config.Start))
	}
	d.executable(c.ImagePath)
	d.account(account(c.Account, name), c.Account)
	for _, need := range c.Dependencies {
		d.dependency(scm, need)
	}
	if c.Mark == "" {
		d.add(manage.Note, "owner", "install takes it over", "it was installed by another tool")
	}
	return nil
}

// state checks the state of the service. Its account is known to Windows as known.
func (d *diagnosis) state(now status, known, account string) {
	st := d.manager.status(now)
	switch st.State {
	case service.Failed:
		remedy := "read the log, then start it again"
		if now.ExitCode == win32.ErrorServiceLogonFailed {
			remedy = kindOf(known).remedy(account)
		}
		d.add(manage.Problem, "state", remedy, "it failed: %s", st.Detail)
	case service.Stopped:
		d.add(manage.Note, "state", "start it", "%s", strings.TrimSuffix("it is stopped: "+st.Detail, ": "))
	default:
		d.add(manage.OK, "state", "", "it is %s, as process %d", st.State, st.PID)
	}
}

// account checks an account, which is known to Windows as known.
func (d *diagnosis) account(known, account string) {
	switch kindOf(known) {
	case byPassword:
		d.add(manage.Note, "account", "services.msc grants it on the Log On page", "%s has a password, which may expire, and needs the right to log on as a service", account)
	case byDomain:
		d.add(manage.Note, "account", checkManaged(account), "%s is a managed account: it needs the right to log on as a service, and this machine must be allowed to retrieve its password", account)
	default:
		d.add(manage.OK, "account", "", "%s", account)
	}
}

// source checks the event source.
func (d *diagnosis) source(name string) {
	switch a, err := d.manager.source(name); {
	case err != nil:
		d.add(manage.Note, "event source", "", "%v", err)
	case !a.Present:
		d.add(manage.Warning, "event source", "install it again", "there is none: Event Viewer has no descriptions for its records")
	case a.Changed():
		d.add(manage.Note, "event source", "install it again", "it differs from what install sets up")
	default:
		d.add(manage.OK, "event source", "", "it exists")
	}
}

// changes compares the service with what an installation would make of it.
func (d *diagnosis) changes(ctx context.Context, s manage.Spec) {
	p, err := d.manager.Plan(ctx, s, true)
	if err != nil {
		d.add(manage.Note, "configuration", "", "it could not be compared: %v", err)
		return
	}
	for _, a := range p.Artefacts {
		if a.Changed() {
			d.add(manage.Note, "configuration", "install it again; --dry-run shows the difference", "%s is not as this program would install it", a.Name)
		}
	}
	if !p.Changed() {
		d.add(manage.OK, "configuration", "", "it is as this program would install it")
	}
}

// executable checks the executable that a command line names.
func (d *diagnosis) executable(line string) {
	exe := executable(line)
	_, _, err := d.manager.api.Security(exe)
	switch {
	case missing(err):
		d.add(manage.Problem, "executable", "put it there, or install again from where it is", "%s does not exist", exe)
		return
	case strings.Contains(exe, " ") && !strings.HasPrefix(line, `"`):
		d.add(manage.Warning, "executable", "install it again", "the path in the command line %s is not quoted: another program can be started instead", line)
		return
	}
	switch err := d.manager.safe(exe, false); {
	case errors.Is(err, service.ErrUnsafe):
		d.add(manage.Warning, "executable", "otherwise, whoever can replace it can act as the service", "%v", err)
	case err != nil:
		d.add(manage.Note, "executable", "", "%v", err)
	default:
		d.add(manage.OK, "executable", "", "%s", exe)
	}
}

// dependency checks a service that this one depends on.
func (d *diagnosis) dependency(scm *session, name string) {
	what := "dependency " + name
	if strings.HasPrefix(name, "+") {
		return // it is a group
	}
	h, err := scm.open(name, accessQueryStatus)
	switch {
	case errors.Is(err, service.ErrNotInstalled):
		d.add(manage.Problem, what, "install it, or install this service without it", "it does not exist")
		return
	case err != nil:
		d.add(manage.Note, what, "", "%v", err)
		return
	}
	defer scm.Close(h)
	switch now, err := scm.QueryStatus(h); {
	case err != nil:
		d.add(manage.Note, what, "", "%v", err)
	case now.State == win32.Running:
		d.add(manage.OK, what, "", "it is running")
	default:
		d.add(manage.Note, what, "it is started with this service", "it is %s", states[now.State])
	}
}
