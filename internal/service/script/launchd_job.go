package script

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/system/command"
)

const (
	kickBound      = 10 * time.Second
	bootstrapBound = 20 * time.Second
	firstPause     = 100 * time.Millisecond
	longestPause   = 2 * time.Second
)

// domain returns where launchd has the service. A user without a graphical session has
// another one.
func (d launchd) domain(ctx context.Context) string {
	if !d.user {
		return "system"
	}
	gui := "gui/" + strconv.Itoa(d.uid)
	if _, err := d.launchctl(ctx, "print", gui); err != nil {
		return "user/" + strconv.Itoa(d.uid)
	}
	return gui
}

func (d launchd) launchctl(ctx context.Context, args ...string) (string, error) {
	return d.Runner()(ctx, "launchctl", args...)
}

// enabling returns the verb that tells launchctl whether the service starts with the machine.
func enabling(enabled bool) string {
	if enabled {
		return "enable"
	}
	return "disable"
}

func (d launchd) enable(ctx context.Context, domain, name string, enabled bool) error {
	return d.run(ctx, "launchctl", enabling(enabled), domain+"/"+name)
}

// disabled reports whether launchd is told not to load the service.
func (d launchd) disabled(ctx context.Context, domain, name string) (bool, error) {
	out, err := d.launchctl(ctx, "print-disabled", domain)
	return err == nil && disabledIn(out, name), err
}

// load has launchd read the file and run what it says. A job that is loaded already and
// does not run may have been loaded from another file, and goes first.
func (d launchd) load(ctx context.Context, domain, name, plist, text string) error {
	if err := d.bootout(ctx, domain, name, text); err != nil {
		return err
	}
	disabled, err := d.disabled(ctx, domain, name)
	if err != nil {
		return err
	}
	if disabled {
		if err := d.enable(ctx, domain, name, true); err != nil {
			return err
		}
	}
	err = d.bootstrap(ctx, domain, name, plist)
	if err == nil {
		err = d.kickstart(ctx, domain, name)
	}
	if disabled {
		err = errors.Join(err, d.enable(context.WithoutCancel(ctx), domain, name, false))
	}
	return err
}

// kickstart starts a job that loading has not started. launchd holds back what has
// failed before, and launchctl with it, so that it is not waited for to the end.
func (d launchd) kickstart(ctx context.Context, domain, name string) error {
	j, err := d.print(ctx, domain, name)
	if err != nil || j.running() || j.runs > 0 {
		return err
	}
	short, cancel := context.WithTimeout(ctx, kickBound)
	defer cancel()
	_, err = d.launchctl(short, "kickstart", domain+"/"+name)
	if err != nil && short.Err() != nil && ctx.Err() == nil {
		return nil // the state will tell
	}
	return err
}

// bootstrap loads the job. While one of that name drains, launchd answers with error 5
// or 37; it is asked again then, ever more seldom.
func (d launchd) bootstrap(ctx context.Context, domain, name, plist string) error {
	deadline := time.Now().Add(bootstrapBound)
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		_, err := d.launchctl(ctx, "bootstrap", domain, d.Tree.Path(plist))
		switch code := command.Code(err); {
		case err == nil:
			return nil
		case code != 5 && code != 17 && code != 37:
			return explain(err, domain, name, plist)
		}
		if j, perr := d.print(ctx, domain, name); perr == nil && j.loaded && !j.leaving() {
			return nil // somebody was faster
		}
		if time.Now().After(deadline) {
			return explain(err, domain, name, plist)
		}
		d.Waiting(name + ": launchd is still busy with it")
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// explain adds to an error of launchctl what its number means.
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
func (d launchd) bootout(ctx context.Context, domain, name, text string) error {
	j, err := d.print(ctx, domain, name)
	if err != nil || !j.loaded {
		return err
	}
	// 36 is that it goes on by itself, 3 and 113 that it is gone.
	if _, err := d.launchctl(ctx, "bootout", domain+"/"+name); err != nil && !slices.Contains([]int{3, 36, 113}, command.Code(err)) {
		return explain(err, domain, name, "")
	}
	bound := exitTimeout(text) + margin
	return AwaitStopped(ctx, name, firstPause, bound, func() (bool, error) {
		j, err := d.print(ctx, domain, name)
		return !j.loaded, err
	})
}

// launchdJob is what launchctl print says of a service.
type launchdJob struct {
	loaded bool
	state  string // "running", "not running", "spawn scheduled", "xpcproxy", …
	pid    int
	runs   int
	code   int    // of the last end; -1 if it has not ended, or by a signal
	signal string // "Killed: 9": what has ended it
}

func (j launchdJob) running() bool { return j.pid != 0 }

// leaving reports whether the job was booted out and is not gone yet.
func (j launchdJob) leaving() bool {
	return strings.Contains(j.state, "SIGTERM") || strings.Contains(j.state, "removing")
}

// print asks launchd for the job. It returns no error if the job is not loaded.
func (d launchd) print(ctx context.Context, domain, name string) (launchdJob, error) {
	out, err := d.launchctl(ctx, "print", domain+"/"+name)
	switch code := command.Code(err); {
	case err == nil:
		return parseJob(out), nil
	case code == 113 || code == 112 || code == 3:
		return launchdJob{code: -1}, nil
	}
	return launchdJob{code: -1}, err
}

// parseJob reads the lines of the job itself, which begin with one tab: those below them
// have names in common with it.
func parseJob(out string) launchdJob {
	j := launchdJob{loaded: true, code: -1}
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "\t") || strings.HasPrefix(line, "\t\t") {
			continue
		}
		name, value, ok := strings.Cut(strings.TrimSpace(line), " = ")
		if !ok {
			continue
		}
		switch name {
		case "state":
			j.state = value
		case "pid":
			j.pid, _ = strconv.Atoi(value)
		case "runs":
			j.runs, _ = strconv.Atoi(value)
		case "last exit code": // "0", "78: EX_CONFIG", "(never exited)"
			number, _, _ := strings.Cut(value, ":")
			if n, err := strconv.Atoi(number); err == nil {
				j.code = n
			}
		case "last terminating signal":
			j.signal = value
		}
	}
	return j
}

// disabledIn reads what launchctl print-disabled says: "name" => disabled, or => true.
func disabledIn(out, name string) bool {
	for line := range strings.Lines(out) {
		quoted, value, ok := strings.Cut(strings.TrimSpace(line), " => ")
		if ok && quoted == strconv.Quote(name) {
			return value == "disabled" || value == "true"
		}
	}
	return false
}

// describe returns what a job does, with launchd's own words where there is more to say.
func (j launchdJob) describe() (service.State, string) {
	failed := j.signal != "" || j.code > 0
	switch {
	case !j.loaded:
		return service.Stopped, "not loaded"
	case j.leaving():
		return service.Stopping, j.state
	case j.running():
		return service.Running, ""
	case failed && j.signal != "":
		return service.Failed, fmt.Sprintf("%s, last terminating signal %s", j.state, j.signal)
	case failed:
		return service.Failed, fmt.Sprintf("%s, last exit code %d", j.state, j.code)
	case j.state == "spawn scheduled" || j.state == "xpcproxy":
		return service.Starting, j.state
	}
	return service.Stopped, j.state
}
