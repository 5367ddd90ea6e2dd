//go:build unix

package script

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/test/managertest"
)

// statuses answers with one after the other; the last stays.
func statuses(all ...service.Status) func() (service.Status, error) {
	return func() (service.Status, error) {
		s := all[0]
		if len(all) > 1 {
			all = all[1:]
		}
		return s, nil
	}
}

func TestSupervise_WaitsUntilTheServiceHasRunForAMoment(t *testing.T) {
	starting := service.Status{State: service.Starting}
	running := func(pid int) service.Status { return service.Status{State: service.Running, PID: pid} }
	stopped := service.Status{State: service.Stopped, ExitCode: -1}
	finished := service.Status{State: service.Stopped}
	silent := service.Status{State: service.Failed, ExitCode: -1, Silent: true, Detail: "so it says"}
	for name, test := range map[string]struct {
		status func() (service.Status, error)
		want   string // of the error; "" is none
	}{
		"it runs":               {statuses(starting, starting, running(7)), ""},
		"it runs, and has gone": {statuses(running(7), running(7), stopped), "web: it has ended at once; see its log"},
		"it waits to run again": {statuses(running(7), starting), "web: it has ended at once; see its log"},
		"it has ended somehow":  {statuses(starting, silent), "it has ended at once (so it says)"},
		"it has finished":       {statuses(starting, finished), ""},
		"it has run, and ended": {statuses(running(7), finished), ""},
		"it has never been":     {statuses(stopped), "it has ended at once, or does not start at all"},
		"it runs anew":          {statuses(running(7), running(8)), "was started again"},
		"it has failed":         {statuses(starting, service.Status{State: service.Failed, ExitCode: 3, Detail: "so it says"}), "exit code 3 (so it says)"},
		"it has failed somehow": {statuses(service.Status{State: service.Failed, ExitCode: -1}), "it has failed"},
		"it never starts":       {statuses(starting), "after 30s it is still starting"},
		"it has gone":           {statuses(service.Status{State: service.NotInstalled}), "not installed"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				err := supervise(t.Context(), "web", test.status)
				if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
					t.Errorf("got %v", err)
				}
				if got, want := errors.Is(err, manage.ErrEnded), strings.Contains(test.want, "ended at once") || strings.Contains(test.want, "started again"); got != want {
					t.Errorf("ErrEnded: %t, want %t: %v", got, want, err)
				}
				if took := time.Since(begun); name == "it runs" && took < time.Second {
					t.Errorf("after %s", took)
				}
			})
		})
	}
}

func TestAwait_EndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(3*time.Second, func() { cancel(cause) })
		if err := await(ctx, time.Second, time.Hour, func() (bool, error) { return false, nil }); !errors.Is(err, cause) {
			t.Errorf("got %v", err)
		}
	})
}

func TestRefused_SaysWhatToDo(t *testing.T) {
	for _, err := range []error{fs.ErrPermission, errors.New("Boot-out failed: 1: Operation not permitted"), errors.New("Permission denied"), errors.New("rc-service web start: exit code 1:  * web: superuser access required")} {
		got := refused(err, "install web", "sudo")
		if !errors.Is(got, service.ErrPermission) || !strings.HasPrefix(got.Error(), "install web: ") || !strings.Contains(got.Error(), "sudo") {
			t.Errorf("got %v", got)
		}
	}
	if got := refused(errors.New("disk full"), "install web", "sudo"); errors.Is(got, service.ErrPermission) || got.Error() != "install web: disk full" {
		t.Errorf("got %v", got)
	}
	if refused(nil, "x", "sudo") != nil {
		t.Error("nothing is an error")
	}
	once := fmt.Errorf("install web: %w: run it as root", service.ErrPermission)
	if got := refused(once, "install web", "sudo"); got != once {
		t.Errorf("twice: %v", got)
	}
}

func TestSeconds_RoundsUp(t *testing.T) {
	for d, want := range map[time.Duration]int{0: 1, time.Millisecond: 1, time.Second: 1, 1500 * time.Millisecond: 2, time.Minute: 60} {
		if got := seconds(d); got != want {
			t.Errorf("%s: %d", d, got)
		}
	}
}

// stopping is a dialect whose service takes longer to stop than anybody waits.
type stopping struct {
	Dialect
	started bool
}

func (*stopping) Stop(ctx context.Context, _ manage.Spec, _ service.Status) error { return ctx.Err() }

func (m *stopping) Start(context.Context, manage.Spec, service.Status) error {
	m.started = true
	return nil
}

func (*stopping) Status(context.Context, manage.Spec, string) (service.Status, error) {
	return service.Status{State: service.Starting}, nil
}

func TestManager_SaysThatARestartThatIsNotWaitedForStopsTheService(t *testing.T) {
	m, _ := newRCDDouble(t)
	managertest.Install(t, m, managertest.Plain())
	d := &stopping{Dialect: m.dialect}
	m.dialect, m.Watches = d, true
	ctx, cancel := context.WithCancel(t.Context())
	if err := m.Restart(ctx, managertest.Plain()); err != nil || !d.started {
		t.Errorf("got %v", err)
	}
	cancel()
	d.started = false
	if err := m.Restart(ctx, managertest.Plain()); !errors.Is(err, manage.ErrAsked) || !errors.Is(err, context.Canceled) || d.started {
		t.Errorf("got %v", err)
	}
}
