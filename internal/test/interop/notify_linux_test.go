package interop

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/go-glidepath/glidepath/internal/host/systemd"
	"github.com/go-glidepath/glidepath/internal/host/systemd/sdnotify"
)

func TestBothSaySystemdTheSame(t *testing.T) {
	name := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	receive := func() string {
		buf := make([]byte, 1<<16)
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		n, err := conn.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		return string(buf[:n])
	}
	t.Setenv("NOTIFY_SOCKET", name)
	client, err := sdnotify.Dial(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()

	for what, say := range map[string]struct {
		theirs string
		ours   sdnotify.Message
	}{
		"ready":    {daemon.SdNotifyReady, sdnotify.Message{}.Add(sdnotify.Ready)},
		"stopping": {daemon.SdNotifyStopping, sdnotify.Message{}.Add(sdnotify.Stopping)},
		"watchdog": {daemon.SdNotifyWatchdog, sdnotify.Message{}.Add(sdnotify.Watchdog)},
		"status":   {"STATUS=serving", sdnotify.Message{}.Status("serving")},
		"together": {"READY=1\nSTATUS=serving", sdnotify.Message{}.Add(sdnotify.Ready).Status("serving")},
		"extend":   {"EXTEND_TIMEOUT_USEC=5000000", sdnotify.Message{}.Extend(5 * time.Second)},
	} {
		if sent, err := daemon.SdNotify(false, say.theirs); !sent || err != nil {
			t.Fatal(sent, err)
		}
		theirs := receive()
		if err := client.Send(say.ours, time.Second); err != nil {
			t.Fatal(err)
		}
		if ours := receive(); ours != theirs {
			t.Errorf("%s: ours %q, theirs %q", what, ours, theirs)
		}
	}

	// The time differs by what lies between the two.
	theirs := daemon.SdNotifyReloading + "\n" + strings.TrimSuffix(daemon.SdNotifyMonotonicUsec(), "\n")
	ours := string(sdnotify.Message{}.Reloading())
	pattern := regexp.MustCompile(`^RELOADING=1\nMONOTONIC_USEC=(\d+)$`)
	a, b := pattern.FindStringSubmatch(theirs), pattern.FindStringSubmatch(ours)
	if a == nil || b == nil {
		t.Fatalf("ours %q, theirs %q", ours, theirs)
	}
	before, _ := strconv.Atoi(a[1])
	after, _ := strconv.Atoi(b[1])
	if after < before || after > before+10_000_000 {
		t.Errorf("ours %d µs, theirs %d µs", after, before)
	}
}

func TestBothUnderstandTheWatchdogTheSame(t *testing.T) {
	for _, env := range []map[string]string{
		{},
		{"WATCHDOG_USEC": "3000000"},
		{"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": strconv.Itoa(os.Getpid())},
		{"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"},
	} {
		for _, key := range []string{"WATCHDOG_USEC", "WATCHDOG_PID"} {
			t.Setenv(key, env[key])
			if env[key] == "" {
				_ = os.Unsetenv(key)
			}
		}
		t.Setenv("NOTIFY_SOCKET", "/nonexistent")
		theirs, err := daemon.SdWatchdogEnabled(false)
		if err != nil {
			t.Fatal(err)
		}
		if ours := systemd.New(systemd.Take(false), false).Interval(); ours != theirs {
			t.Errorf("%v: ours %s, theirs %s", env, ours, theirs)
		}
	}
}
