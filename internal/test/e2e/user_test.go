//go:build linux

package e2e

import (
	"testing"
	"time"
)

func TestAUserUnitStartsReloadsAndStops(t *testing.T) {
	t.Parallel()
	u := newUnitOf(t, userManager(t), "Type=notify-reload", "TimeoutStartSec=10", "WatchdogSec=2", execStart("probe", "-reload=ok", "-check=ok"))
	u.start()
	u.is(running)
	u.is(props{"StatusText": "running"})
	before := u.show("MainPID")
	u.reload()
	u.is(props{"ReloadResult": "success"})
	stays(t, 5*time.Second, func() string { return u.wrong(running) })
	u.is(before)
	u.stop()
	u.is(clean)
}
