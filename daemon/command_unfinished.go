package daemon

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// explainUnfinished adds to the error of a command what the operator can do next.
func (c *commandLine) explainUnfinished(err error, o options, verb string) error {
	var u *manage.Unfinished
	if !errors.As(err, &u) {
		if errors.Is(err, context.Canceled) {
			err = fmt.Errorf("%s: interrupted; see what became of the service with: %s", verb, c.call("status", o))
		}
		return err
	}
	if errors.Is(u.Err, context.Canceled) {
		err = fmt.Errorf("%s: interrupted; %s", verb, u.Left())
	}
	var ways []string
	way := func(to, verb, flags string) { ways = append(ways, to+": "+c.call(verb, o)+flags) }
	if u.Stopped() {
		way("to start it", "start", "")
	}
	if u.Disabled() {
		way("to enable it", "install", " --enable")
	}
	switch {
	case verb != "uninstall" || u.Now == u.Before:
	case o.purge:
		way("to try again", verb, " --purge")
	case u.Now.State != service.NotInstalled:
		way("to try again", verb, "")
	}
	if len(ways) == 0 {
		return err
	}
	return fmt.Errorf("%w; %s", err, strings.Join(ways, "; "))
}

// explainInstalled adds to the error of a start that the service stays installed.
func (c *commandLine) explainInstalled(err error, done service.Installation, o options) error {
	var u *manage.Unfinished
	if done.Manager == "" || errors.As(err, &u) || errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("%w; the service stays installed; to start it: %s; to remove it: %s", err, c.call("start", o), c.call("uninstall", o))
}
