//go:build linux

package e2e

import (
	"net"
	"testing"
	"time"
)

func TestATypeThatDoesNotListenRunsAndStopsClean(t *testing.T) {
	for _, typ := range []string{"simple", "exec"} {
		t.Run(typ, func(t *testing.T) {
			notes := newNotebook(t)
			u := newUnit(t, "Type="+typ, execStart("probe", notes.flag))
			u.start()
			notes.await("started")
			u.is(running)
			u.stop()
			u.is(clean)
			notes.says("starting", "started", "stopping", "stopped")
		})
	}
}

func TestASIGHUPDoesNotKill(t *testing.T) {
	for name, flag := range map[string]string{"a Reloader": "-reload=ok", "another program": "-reload=none"} {
		t.Run(name, func(t *testing.T) {
			notes := newNotebook(t)
			u := newUnit(t, "Type=simple", execStart("probe", flag, notes.flag))
			u.start()
			notes.await("started")
			before := u.show("MainPID")
			u.kill("HUP")
			if flag == "-reload=ok" {
				notes.await("reloaded")
			}
			stays(t, 500*time.Millisecond, func() string { return u.wrong(running) })
			u.is(before)
			u.stop()
			u.is(clean)
		})
	}
}

func TestAnEnvironmentThatMakesNoSenseHindersNothing(t *testing.T) {
	for name, env := range map[string]string{
		"a socket that is not there":     "NOTIFY_SOCKET=/run/nowhere WATCHDOG_USEC=2000000",
		"a socket that is none":          "NOTIFY_SOCKET=/etc/passwd",
		"an address of no kind":          "NOTIFY_SOCKET=carrier-pigeon",
		"a vsock address without a host": "NOTIFY_SOCKET=vsock::1",
		"a watchdog of no length":        "WATCHDOG_USEC=soon",
		"both":                           "NOTIFY_SOCKET=/run/nowhere WATCHDOG_USEC=-1 WATCHDOG_PID=x LISTEN_PID=x LISTEN_FDS=x",
	} {
		t.Run(name, func(t *testing.T) {
			notes := newNotebook(t)
			u := newUnit(t, "Type=simple", "Environment="+env, execStart("probe", "-reload=ok", notes.flag))
			u.start()
			notes.await("started")
			u.kill("HUP")
			notes.await("reloaded")
			u.is(running)
			u.stop()
			u.is(clean)
		})
	}
}

func TestAManagerThatDoesNotReadHoldsUpTheEndByASecondOrTwo(t *testing.T) {
	path := inMachine(t, "deaf")
	deaf, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: machine.Path(path)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = deaf.Close() })
	fill(t, machine.Path(path))

	notes := newNotebook(t)
	u := newUnit(t, "Type=simple", "TimeoutStopSec=20", "Environment=NOTIFY_SOCKET="+path, execStart("probe", notes.flag))
	u.start()
	notes.await("started")
	u.stop()
	u.is(clean)
	if took := u.between("ActiveExit", "ExecMainExit"); took > 10*time.Second {
		t.Errorf("it ended after %s", took)
	}
}

// fill fills the queue of a socket.
func fill(t *testing.T, path string) {
	t.Helper()
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Net: "unixgram", Name: path})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetWriteDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	for range 100_000 {
		if _, err := conn.Write([]byte("X_FILL=1")); err != nil {
			return
		}
	}
	t.Fatal("the queue has no end")
}
