package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// needed is a register with services that need the installed one. Like Windows, it refuses to
// stop a service that a running one needs, and to start one without what it needs.
type needed struct {
	*register
	needs map[string]string // from a service to the one that it needs
	runs  map[string]bool
	along bool
	fails map[string]error // "stop a"

	interrupt func() // called by a stop that fails; may be nil
}

// newNeeded returns services that all run, except idle: b and c need a, and a and idle need web.
func newNeeded(t *testing.T) (*shell, *needed) {
	s := newShell(t)
	n := &needed{
		register: s.manager, needs: map[string]string{"a": "web", "b": "a", "c": "a", "idle": "web"},
		runs: map[string]bool{"a": true, "b": true, "c": true}, fails: map[string]error{},
	}
	s.call("install --now")
	s.over, s.manager.done = n, nil
	return s, n
}

func (n *needed) Dependents(context.Context, manage.Spec) (d manage.Dependents, err error) {
	d.Along = n.along
	if n.installed == nil {
		return d, service.ErrNotInstalled
	}
	for _, name := range []string{"c", "b", "a", "idle"} {
		if n.runs[name] {
			d.Running = append(d.Running, name)
		} else {
			d.Stopped = append(d.Stopped, name)
		}
	}
	return d, nil
}

// checkFree fails if a running service needs name.
func (n *needed) checkFree(name string) error {
	for who, what := range n.needs {
		if what == name && n.runs[who] && !n.along {
			return fmt.Errorf("%s needs %s", who, name)
		}
	}
	return nil
}

func (n *needed) Stop(ctx context.Context, s manage.Spec) error {
	err := errors.Join(n.fails["stop "+s.Name], n.checkFree(s.Name))
	if err != nil && n.interrupt != nil {
		n.interrupt()
	}
	if s.Name == "web" && err == nil {
		return n.register.Stop(ctx, s)
	}
	if err == nil {
		n.runs[s.Name] = false
		n.done = append(n.done, "stop "+s.Name)
	}
	return err
}

func (n *needed) Start(ctx context.Context, s manage.Spec) error {
	if s.Name == "web" {
		return n.register.Start(ctx, s)
	}
	err := errors.Join(n.fails["start "+s.Name], ctx.Err())
	if what := n.needs[s.Name]; what == "web" && n.status.PID == 0 || what != "web" && !n.runs[what] {
		err = fmt.Errorf("%s does not run", what)
	}
	if err == nil {
		n.runs[s.Name] = true
		n.done = append(n.done, "start "+s.Name)
	}
	return err
}

func (n *needed) Restart(ctx context.Context, s manage.Spec) error {
	if err := errors.Join(n.fails["restart web"], n.checkFree("web")); err != nil {
		return err
	}
	return n.register.Restart(ctx, s)
}

func (n *needed) Remove(ctx context.Context, s manage.Spec, purge bool) ([]string, error) {
	if err := errors.Join(n.fails["remove web"], n.checkFree("web")); err != nil {
		return nil, err
	}
	return n.register.Remove(ctx, s, purge)
}

// did returns what the manager was asked for, in order.
func (n *needed) did() string { return strings.Join(n.done, ", ") }

func TestDependents_AreNamedBeforeAnyChange(t *testing.T) {
	for _, line := range []string{"stop", "restart", "uninstall", "-b install --now"} {
		t.Run(line, func(t *testing.T) {
			s, n := newNeeded(t)
			code, out, err := s.call(line)
			if want := "services that run need it: stop c, b, a first, or use --dependents to stop them as well\n"; code != 1 || out != "" || !strings.HasSuffix(err, want) {
				t.Errorf("%s: exit code %d, %q, %q", line, code, out, err)
			}
			if n.did() != "" || !n.runs["c"] {
				t.Errorf("%s: it did %s", line, n.did())
			}
		})
	}
}

func TestDependents_AreStoppedAndStartedAgain(t *testing.T) {
	const stops = "stop c, stop b, stop a, "
	for _, test := range []struct{ line, did, says string }{
		{"stop --dependents", stops + "stop", "web: also stopped: c, b, a\nweb: stopped\n"},
		{"restart --dependents", stops + "restart, start a, start b, start c", "web: also restarted: c, b, a\nweb: running, process 42\n"},
		{"-b install --now --dependents", "install, " + stops + "restart, start a, start b, start c", "web: also restarted: c, b, a\n"},
		{"uninstall --dependents", stops + "uninstall", "web: also stopped: c, b, a\nweb: services that still need it: c, b, a, idle\nweb: uninstalled"},
		{"install --now", "install, start", "nothing to do"}, // restarts nothing
		{"install", "install", "nothing to do"},
	} {
		t.Run(test.line, func(t *testing.T) {
			s, n := newNeeded(t)
			code, out, err := s.call(test.line)
			if code != 0 || !strings.Contains(out, test.says) || n.did() != test.did {
				t.Errorf("%s: exit code %d, %q, %q; it did %s, want %s", test.line, code, out, err, n.did(), test.did)
			}
			if n.runs["idle"] {
				t.Errorf("%s: what did not run was started", test.line)
			}
		})
	}
}

func TestDependents_AreStartedAgainAfterAFailedStop(t *testing.T) {
	hangs := errors.New("it hangs")
	again := "also stopped, and started again: "
	for _, test := range []struct {
		line, fails, did, says string
	}{
		{"stop", "stop c", "", "stop c, which needs it: it hangs\n"},
		{"stop", "stop a", "stop c, stop b, start b, start c", "stop a, which needs it: it hangs; " + again + "c, b\n"},
		{"restart", "stop a", "stop c, stop b, start b, start c", "stop a, which needs it: it hangs; " + again + "c, b\n"},
		{"stop", "stop web", "stop c, stop b, stop a, start a, start b, start c", "it hangs; " + again + "c, b, a\n"},
		{"restart", "restart web", "stop c, stop b, stop a, start a, start b, start c", "it hangs; " + again + "c, b, a\n"},
		{"uninstall", "remove web", "stop c, stop b, stop a, start a, start b, start c", "it hangs; nothing has changed; " + again + "c, b, a\n"},
		{"restart", "start b", "stop c, stop b, stop a, restart, start a, start c", "b was also stopped, and could not be started again: it hangs\n"},
	} {
		t.Run(test.line+", "+test.fails, func(t *testing.T) {
			s, n := newNeeded(t)
			n.fails[test.fails] = hangs
			code, out, err := s.call(test.line + " --dependents")
			if code != 1 || !strings.HasSuffix(err, test.says) || n.did() != test.did {
				t.Errorf("%s, where %s fails: exit code %d, %q, %q; it did %s, want %s", test.line, test.fails, code, out, err, n.did(), test.did)
			}
		})
	}
}

func TestDependents_Output(t *testing.T) {
	var tr transcript
	s, n := newNeeded(t)
	for _, line := range []string{"stop", "stop --dependents", "start"} {
		tr.call(s, line)
	}
	n.runs = map[string]bool{"a": true, "c": true}
	tr.call(s, "-b install --now")
	tr.call(s, "-b install --now --dependents")
	n.fails["stop a"] = errors.New("service a is stopping, and has not got on for 1m30s")
	for _, line := range []string{"restart", "restart --dependents", "uninstall", "uninstall --dependents"} {
		tr.call(s, line)
	}
	delete(n.fails, "stop a")
	tr.call(s, "uninstall --dependents")
	tr.golden(t, "dependents")
}

func TestDependents_ThatCannotStartAgainAreNamed(t *testing.T) {
	s, n := newNeeded(t)
	n.err = errors.New("it has not started") // the restart fails after the stop
	n.status = service.Status{State: service.Failed}
	_, _, err := s.call("restart --dependents")
	if !strings.HasSuffix(err, "it has not started; also stopped; start them once it runs: c, b, a\n") || n.runs["a"] {
		t.Errorf("got %q", err)
	}
}

// An interrupt ends the wait for a dependent; stopped services are still started again.
func TestDependents_AreStartedAgainAfterAnInterrupt(t *testing.T) {
	s, n := newNeeded(t)
	ctx, cancel := context.WithCancel(t.Context())
	n.fails["stop a"], n.interrupt = context.Canceled, cancel
	var out, err strings.Builder
	c := commandLine{program: s.program, config: s.config, flags: ownFlags(), out: &out, err: &err, manage: s.manage}
	code := c.main(ctx, []string{"stop", "--dependents"})
	if code != 1 || !strings.Contains(err.String(), "interrupted") || !strings.HasSuffix(err.String(), "; also stopped, and started again: c, b\n") || !n.runs["c"] {
		t.Errorf("exit code %d, %q; it did %s", code, err.String(), n.did())
	}
}

func TestDependents_AreNamedIfTheManagerStopsThem(t *testing.T) {
	for line, says := range map[string]string{
		"stop":      "web: also stopped: c, b, a\nweb: stopped\n",
		"restart":   "web: running, process 42\n",
		"uninstall": "web: also stopped: c, b, a\nweb: services that still need it: c, b, a, idle\nweb: uninstalled (register)\n--- /register/web\n",
	} {
		t.Run(line, func(t *testing.T) {
			s, n := newNeeded(t)
			n.along = true
			if code, out, err := s.call(line); code != 0 || out != says || err != "" || !slices.Equal(n.done, []string{line}) {
				t.Errorf("%s: exit code %d, %q, %q; it did %s", line, code, out, err, n.did())
			}
		})
	}
}
