package launchd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/system/command"
	"github.com/go-glidepath/glidepath/internal/service/onefile"
)

// Start implements service.Manager.
func (m *Manager) Start(ctx context.Context, s service.Spec) error {
	name := s.ServiceName()
	l := m.layout(name)
	text, exists, err := m.m.Tree.Read(l.plist)
	switch {
	case err != nil:
		return onefile.Refused(err, "start "+name)
	case !exists:
		return fmt.Errorf("start %s: %w", name, service.ErrNotInstalled)
	}
	domain := m.domain(ctx)
	j, err := m.print(ctx, domain, name)
	if err != nil {
		return onefile.Refused(err, "start "+name)
	}
	if j.running() {
		return nil
	}
	if err := m.load(ctx, domain, name, l.plist, text); err != nil {
		return onefile.Refused(err, "start "+name)
	}
	return onefile.Supervised(ctx, m.m, name, func() (service.Status, error) { return m.status(ctx, domain, s) })
}

// load has launchd read the file and run what it says. A job that is loaded already and
// does not run may have been loaded from another file, and goes first.
func (m *Manager) load(ctx context.Context, domain, name, plist, text string) error {
	if err := m.bootout(ctx, domain, name, text); err != nil {
		return err
	}
	disabled, err := m.disabled(ctx, domain, name)
	if err != nil {
		return err
	}
	if disabled {
		if err := m.enable(ctx, domain, name, true); err != nil {
			return err
		}
	}
	err = m.bootstrap(ctx, domain, name, plist)
	if err == nil {
		err = m.kickstart(ctx, domain, name)
	}
	if disabled {
		err = errors.Join(err, m.enable(context.WithoutCancel(ctx), domain, name, false))
	}
	return err
}

// kickstart starts a job that loading has not started. launchd holds back what has
// failed before, and launchctl with it, so that it is not waited for to the end.
func (m *Manager) kickstart(ctx context.Context, domain, name string) error {
	j, err := m.print(ctx, domain, name)
	if err != nil || j.running() || j.runs > 0 {
		return err
	}
	short, cancel := context.WithTimeout(ctx, kickBound)
	defer cancel()
	_, err = m.launchctl(short, "kickstart", domain+"/"+name)
	if err != nil && short.Err() != nil && ctx.Err() == nil {
		return nil // the state will tell
	}
	return err
}

// bootstrap loads the job. While one of that name drains, launchd answers with error 5
// or 37; it is asked again then, ever more seldom.
func (m *Manager) bootstrap(ctx context.Context, domain, name, plist string) error {
	deadline := time.Now().Add(bootstrapBound)
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		_, err := m.launchctl(ctx, "bootstrap", domain, m.m.Tree.Path(plist))
		switch code := command.Code(err); {
		case err == nil:
			return nil
		case code != 5 && code != 17 && code != 37:
			return explain(err, domain, name, plist)
		}
		if j, perr := m.print(ctx, domain, name); perr == nil && j.loaded && !j.leaving() {
			return nil // somebody was faster
		}
		if time.Now().After(deadline) {
			return explain(err, domain, name, plist)
		}
		m.m.Waiting(name + ": launchd is still busy with it")
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return context.Cause(ctx)
		}
	}
}

// explain says in words what launchd says in numbers.
func explain(err error, domain, name, plist string) error {
	why := map[int]string{
		5:   "launchd takes the file for wrong, or has not let go of the job before it; plutil -lint " + plist + " checks the file",
		37:  "launchd is still busy with the job before it; try again in a minute",
		112: "there is no such domain as " + domain,
		119: "it is disabled; launchctl enable " + domain + "/" + name,
		122: "the file has to belong to root, and nobody else may write to it",
		125: "the domain " + domain + " cannot have it: for a service of a user, run it as that user, without sudo",
	}[command.Code(err)]
	if why == "" {
		return err
	}
	return fmt.Errorf("%w: %s", err, why)
}

// bootout unloads the job, which stops it, and returns when it is gone. It takes as
// long as the service may take to stop, by what its file says.
func (m *Manager) bootout(ctx context.Context, domain, name, text string) error {
	j, err := m.print(ctx, domain, name)
	if err != nil || !j.loaded {
		return err
	}
	m.m.Waiting(name + " stops")
	// 36 is that it goes on by itself, 3 and 113 that it is gone.
	if _, err := m.launchctl(ctx, "bootout", domain+"/"+name); err != nil && !slices.Contains([]int{3, 36, 113}, command.Code(err)) {
		return explain(err, domain, name, "")
	}
	bound := exitTimeout(text) + onefile.Margin
	err = onefile.Await(ctx, firstPause, bound, func() (bool, error) {
		j, err := m.print(ctx, domain, name)
		return !j.loaded, err
	})
	if errors.Is(err, onefile.ErrLate) {
		return fmt.Errorf("launchd still has the job %s after %s", name, bound)
	}
	return err
}

// Stop implements service.Manager. The job is unloaded, as launchd would restart it
// otherwise; it is loaded again with the machine, or by Start.
func (m *Manager) Stop(ctx context.Context, s service.Spec) error {
	name := s.ServiceName()
	l := m.layout(name)
	domain := m.domain(ctx)
	text, exists, err := m.m.Tree.Read(l.plist)
	if err != nil {
		return onefile.Refused(err, "stop "+name)
	}
	j, err := m.print(ctx, domain, name)
	if err != nil {
		return onefile.Refused(err, "stop "+name)
	}
	if !exists && !j.loaded {
		return fmt.Errorf("stop %s: %w", name, service.ErrNotInstalled)
	}
	return onefile.Refused(m.bootout(ctx, domain, name, text), "stop "+name)
}

// Restart implements service.Manager. What runs then is what the file says now.
func (m *Manager) Restart(ctx context.Context, s service.Spec) error {
	if !m.m.Tree.Exists(m.layout(s.ServiceName()).plist) {
		return fmt.Errorf("restart %s: %w", s.ServiceName(), service.ErrNotInstalled)
	}
	return onefile.Restart(ctx, m, s)
}

// Reload implements service.Manager.
func (m *Manager) Reload(ctx context.Context, s service.Spec) error {
	name := s.ServiceName()
	domain := m.domain(ctx)
	st, err := m.status(ctx, domain, s)
	switch {
	case err != nil:
	case st.State == service.NotInstalled:
		err = service.ErrNotInstalled
	case st.State != service.Running:
		err = service.ErrNotRunning
	default:
		_, err = m.launchctl(ctx, "kill", "SIGHUP", domain+"/"+name)
	}
	return onefile.Refused(err, "reload "+name)
}

// Pause implements service.Manager.
func (m *Manager) Pause(context.Context, service.Spec) error { return onefile.NoPause("launchd") }

// Continue implements service.Manager.
func (m *Manager) Continue(context.Context, service.Spec) error { return onefile.NoPause("launchd") }

// Logs implements service.Manager.
func (m *Manager) Logs(ctx context.Context, s service.Spec, q service.LogQuery, w io.Writer) error {
	return onefile.Log(ctx, m.m.Tree, m.layout(s.ServiceName()).log, q, w)
}
