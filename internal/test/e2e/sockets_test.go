//go:build linux

package e2e

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

// listener adds a socket unit to u and starts it: it listens in u's place.
func (u *unit) listener(name string, lines ...string) {
	u.t.Helper()
	socket := strings.TrimSuffix(u.name, ".service") + "-" + name + ".socket"
	u.t.Cleanup(func() {
		// The context of the test has ended.
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if _, err := u.manager.systemctl(ctx, "stop", socket); err != nil {
			u.t.Error(err)
		}
		_ = os.Remove(machine.Path(u.manager.dir + "/" + socket))
	})
	u.write(socket, "[Socket]\nService="+u.name+"\n"+strings.Join(lines, "\n")+"\n")
	u.systemctl("start", socket)
}

// says is what whoever connects to an address hears.
func says(t *testing.T, network, address string) string {
	t.Helper()
	c, err := net.DialTimeout(network, address, patience)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(patience))
	text, err := io.ReadAll(c)
	if err != nil {
		t.Error(err)
	}
	return strings.TrimSpace(string(text))
}

func TestSocketsOfSystemdAreHandedOverByName(t *testing.T) {
	notes := newNotebook(t)
	front, first, second := freeAddress(t), inMachine(t, "sock"), inMachine(t, "sock")
	u := newUnit(t, "Type=notify", execStart("probe", "-sockets=back,front,back,back,nobody", notes.flag))
	u.listener("front", "ListenStream="+front, "FileDescriptorName=front")
	u.listener("back", "ListenStream="+first, "ListenStream="+second, "FileDescriptorName=back")
	u.listener("spare", "ListenStream="+inMachine(t, "sock"), "FileDescriptorName=spare")

	// The first who connects starts it.
	u.is(props{"ActiveState": "inactive"})
	if got := says(t, "tcp", front); got != "front" {
		t.Errorf("the front says %q", got)
	}
	u.is(running)
	for _, path := range []string{first, second} {
		if got := says(t, "unix", machine.Path(path)); got != "back" {
			t.Errorf("%s says %q", path, got)
		}
	}
	for _, note := range []string{"front: tcp " + front, "back: unix " + first, "back: unix " + second, "back: none", "nobody: none"} {
		if n := notes.count(note); n != 1 {
			t.Errorf("%q was noted %d times", note, n)
		}
	}
	if out, err := machine.Run(t.Context(), "journalctl", "--sync"); err != nil || out.Code != 0 {
		t.Fatal(err, out.Stderr)
	}
	if out, err := machine.Run(t.Context(), "journalctl", "--no-pager", "--output=cat", "--unit="+u.name); err != nil || !strings.Contains(out.Stdout, "sockets=[spare]") {
		t.Errorf("there is no word of the one that nobody has asked for: %v\n%s", err, out.Stdout)
	}

	// systemd keeps them open, and starts it again.
	u.stop()
	u.is(clean)
	if got := says(t, "unix", machine.Path(second)); got != "back" {
		t.Errorf("the second time %s says %q", second, got)
	}
	u.becomes(running)
}

func TestSocketsThatAreMeantForAnotherProcessAreNotTaken(t *testing.T) {
	notes := newNotebook(t)
	// The shell is what they are handed to.
	u := newUnit(t, "Type=notify", "NotifyAccess=all",
		"ExecStart=/bin/sh -c '"+filepath.Join(programs, "probe")+" -sockets=front "+notes.flag+"; :'")
	u.listener("front", "ListenStream="+inMachine(t, "sock"), "FileDescriptorName=front")
	u.start()
	if n := notes.count("front: none"); n != 1 {
		t.Errorf("noted %d times that there is none", n)
	}
}

// It is not parallel to others: install makes systemd reload all units, see write.
func TestTheExampleForLinuxIsWhatItsDescriptionSays(t *testing.T) {
	testbed.Require(t)
	const installed, secret = "/usr/local/bin/visitors", "/etc/visitors.token"
	addr := freeAddress(t)
	run := func(code int, args ...string) string {
		t.Helper()
		out, err := machine.Run(t.Context(), args[0], args[1:]...)
		if err != nil || out.Code != code {
			t.Fatalf("%q: code %d, %v: %s%s", args, out.Code, err, out.Stdout, out.Stderr)
		}
		return out.Stdout
	}
	visit := func(want string) {
		t.Helper()
		if status, body, err := get(t, "http://"+addr+"/", nil); err != nil || status != http.StatusOK || body != want+"\n" {
			t.Errorf("it says %d %q, %v; want %q", status, body, err, want)
		}
	}
	run(0, "cp", filepath.Join(programs, "linux"), installed)
	writeFile(t, machine.Path(secret), "sesame\n")
	run(0, installed, "-addr", addr, "install", "--now")
	t.Cleanup(func() {
		_, _ = machine.Run(context.Background(), installed, "uninstall", "--purge")
		_ = os.Remove(machine.Path(installed))
		_ = os.Remove(machine.Path(secret))
	})
	visit("hello, visitor 1")
	run(0, "systemctl", "stop", "visitors.service")
	run(3, installed, "status")
	visit("hello, visitor 2") // who comes starts it, and the count was kept
	run(0, installed, "status")

	writeFile(t, machine.Path("/etc/visitors/greeting"), "bonjour\n")
	run(0, installed, "reload")
	visit("bonjour, visitor 3")
	writeFile(t, machine.Path("/etc/visitors/greeting"), "\n")
	run(1, installed, "reload")
	visit("bonjour, visitor 4")

	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+addr+"/reset", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer sesame")
	if response, err := http.DefaultClient.Do(r); err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("the credential is not what it was given: %v, %v", response, err)
	} else {
		_ = response.Body.Close()
	}
	visit("bonjour, visitor 1")
	run(0, installed, "-addr", addr, "uninstall", "--purge")
	run(4, installed, "status")
}
