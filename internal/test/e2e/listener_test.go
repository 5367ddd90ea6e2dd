//go:build linux

package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// listener stands for a systemd that starts a program and hears what that says.
type listener struct {
	t    *testing.T
	name string // of its socket

	mu   sync.Mutex
	told []told
}

// told is a message, and when it came.
type told struct {
	at   time.Time
	text string
}

func listen(t *testing.T) *listener {
	t.Helper()
	l := &listener{t: t, name: fmt.Sprintf("@glidepath-e2e-%d-%d", os.Getpid(), numbers.Add(1))}
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: l.name})
	if err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		buf := make([]byte, 1<<16)
		for {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			l.mu.Lock()
			l.told = append(l.told, told{time.Now(), string(buf[:n])})
			l.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		_ = conn.Close()
		<-read
	})
	return l
}

// starts has cmd believe that it is a service which l has started.
func (l *listener) starts(cmd *exec.Cmd) *exec.Cmd {
	args := append([]string{"sh", "-c", `SYSTEMD_EXEC_PID=$$ exec "$0" "$@"`, cmd.Path}, cmd.Args[1:]...)
	cmd.Path, cmd.Args = "/bin/sh", args
	cmd.Env = append(cmd.Env, "NOTIFY_SOCKET="+l.name)
	return cmd
}

// heard returns the messages that have an assignment which begins like that.
func (l *listener) heard(assignment string) []told {
	l.mu.Lock()
	defer l.mu.Unlock()
	var some []told
	for _, m := range l.told {
		if strings.HasPrefix(m.text, assignment) || strings.Contains(m.text, "\n"+assignment) {
			some = append(some, m)
		}
	}
	return some
}

// finish waits until everything that was sent so far has been read.
func (l *listener) finish() {
	l.t.Helper()
	conn, err := net.Dial("unixgram", l.name)
	if err == nil {
		_, err = conn.Write([]byte("X_END=1"))
		_ = conn.Close()
	}
	if err != nil {
		l.t.Fatal(err)
	}
	eventually(l.t, func() string {
		if len(l.heard("X_END=1")) > 0 {
			return ""
		}
		return "not everything has been read"
	})
}

// hears asserts what a systemd was told of a program that has ended: that it was ready, if
// it was; then that it stops; at last why it failed, if it did; and often enough until the
// end that it still stops. It may have been reloaded.
func (l *listener) hears(ready, failed bool, ended time.Time) {
	l.t.Helper()
	l.finish()
	states := ""
	for _, m := range l.heard("") {
		for _, state := range []string{"RELOADING=1", "READY=1", "STOPPING=1", "STATUS=failed"} {
			if strings.Contains("\n"+m.text, "\n"+state) {
				states += state + " "
			}
		}
	}
	states = strings.ReplaceAll(states, "RELOADING=1 READY=1 ", "")
	states = strings.ReplaceAll(states, "RELOADING=1 ", "") // one that has not come to its end
	want := "STOPPING=1 "
	if ready {
		want = "READY=1 " + want
	}
	if failed {
		want += "STATUS=failed "
	}
	if states != want {
		l.t.Errorf("the manager is told %q, want %q", states, want)
		return
	}
	stopping := l.heard("STOPPING=1")[0].at
	last, ticks := stopping, 0
	for _, m := range append(l.heard("EXTEND_TIMEOUT_USEC="), told{ended, ""}) {
		// Each asks for five seconds.
		if gap := m.at.Sub(last); gap > 2*time.Second+shared {
			l.t.Errorf("the manager is told nothing for %s, until %q", gap, m.text)
		}
		if m.at.After(stopping) && m.text != "" {
			last = m.at
			ticks++
		}
	}
	if took := ended.Sub(stopping); ticks < int(took/(2*time.Second+slack)) {
		l.t.Errorf("the manager is told %d times in %s that it still stops", ticks, took)
	}
}
