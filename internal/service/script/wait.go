package script

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// refused makes an error of missing rights one that says what to do, and says of others what
// failed.
func refused(err error, doing, sudo string) error {
	if err == nil || errors.Is(err, service.ErrPermission) {
		return err
	}
	if errors.Is(err, fs.ErrPermission) || saysDenied(strings.ToLower(err.Error())) {
		return fmt.Errorf("%s: %w: run it as root (%s); %w", doing, service.ErrPermission, sudo, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// saysDenied reports whether the words of a tool, in lower case, are about missing rights.
func saysDenied(words string) bool {
	for _, w := range []string{"permission denied", "not permitted", "not privileged", "must be root", "superuser access required"} {
		if strings.Contains(words, w) {
			return true
		}
	}
	return false
}

// errLate is returned when a state did not come in time.
var errLate = errors.New("it takes too long")

// await calls is until it returns true or an error, or bound has passed: that is errLate.
func await(ctx context.Context, every, bound time.Duration, is func() (bool, error)) error {
	late := time.After(bound)
	for {
		if ok, err := is(); ok || err != nil {
			return err
		}
		select {
		case <-time.After(every):
		case <-late:
			return errLate
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// AwaitStopped calls is until it returns true or an error. After bound, the service that was
// told to stop has not done so.
func AwaitStopped(ctx context.Context, name string, every, bound time.Duration, is func() (bool, error)) error {
	err := await(ctx, every, bound, is)
	if errors.Is(err, errLate) {
		return fmt.Errorf("%s has not stopped after %s", name, bound)
	}
	return err
}

// supervise waits until the service runs, and has gone on doing so for a moment: these
// inits have no readiness, and a program that ends at once has run, too. A service that has
// ended with exit code 0 has finished. Where the exit code is not known, the error is
// service.ErrEnded. status returns the state.
func supervise(ctx context.Context, name string, status func() (service.Status, error)) error {
	const (
		bound = 30 * time.Second
		stays = time.Second
		every = 100 * time.Millisecond
	)
	pid, since := 0, time.Time{}
	var last service.Status
	err := await(ctx, every, bound, func() (bool, error) {
		var err error
		if last, err = status(); err != nil {
			return false, err
		}
		switch {
		case last.State == service.NotInstalled:
			return false, fmt.Errorf("start %s: %w", name, service.ErrNotInstalled)
		case last.State == service.Failed:
			return false, failedError(name, last)
		case last.State == service.Stopped && last.ExitCode == 0:
			return true, nil
		case last.State != service.Running:
			if pid != 0 && last.PID == 0 && last.State != service.Stopping {
				return false, fmt.Errorf("%s: %w; see its log", name, manage.ErrEnded)
			}
			return false, nil
		case last.PID != pid && pid != 0:
			return false, fmt.Errorf("%s: %w, and was started again; see its log", name, manage.ErrEnded)
		case pid == 0:
			pid, since = last.PID, time.Now()
		}
		return time.Since(since) >= stays, nil
	})
	if errors.Is(err, errLate) && last.State == service.Stopped {
		return fmt.Errorf("%s: %w, or does not start at all; see its log", name, manage.ErrEnded)
	}
	if errors.Is(err, errLate) {
		return fmt.Errorf("%s does not start: after %s it is still %s; see its log", name, bound, last.State)
	}
	return err
}

// asked adds service.ErrAsked to the error of what was to stop a service, if ctx has ended.
func asked(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	return fmt.Errorf("%w, and is not waited for: %w", manage.ErrAsked, err)
}

// failedError returns the error for a service that has failed.
func failedError(name string, s service.Status) error {
	detail := ""
	if s.Detail != "" {
		detail = " (" + s.Detail + ")"
	}
	why := errors.New("it has failed")
	if s.Silent {
		why = manage.ErrEnded
	} else if s.ExitCode >= 0 {
		why = fmt.Errorf("it has ended with exit code %d", s.ExitCode)
	}
	return fmt.Errorf("%s does not run: %w%s; see its log", name, why, detail)
}

// seconds returns d in whole seconds, at least 1.
func seconds(d time.Duration) int { return max(1, int((d+time.Second-1)/time.Second)) }

// margin is how much longer than the program's own budget a manager waits before it kills:
// the program gives up by itself one second after it.
const margin = 5 * time.Second

// stopBudget returns how long the manager lets the service stop.
func stopBudget(s manage.Spec) time.Duration { return s.StopTimeout + margin }
