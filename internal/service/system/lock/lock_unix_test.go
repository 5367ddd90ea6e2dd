//go:build unix

package lock

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
)

// holder is set in a process that takes a lock in that folder, and keeps it.
const holder = "GLIDEPATH_TEST_LOCK"

func TestMain(m *testing.M) {
	if dir := os.Getenv(holder); dir != "" {
		release, err := takeIn([]string{dir}, "web.lock", "uninstall")
		fmt.Println(err)
		_, _ = io.Copy(io.Discard, os.Stdin) // until it is killed; blocked for ever, it would end itself
		release()
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func TestTheLockOfAProcessEndsWithIt(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), holder+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || said != "<nil>\n" {
		t.Errorf("the other process says %q, %v", said, err)
	}
	_, err = takeIn([]string{dir}, "web.lock", "install")
	want := fmt.Sprintf("another command is changing the service: uninstall, process %d, since 20", cmd.Process.Pid)
	if !errors.Is(err, service.ErrBusy) || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s…", err, want)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait() // it was killed
	release, err := takeIn([]string{dir}, "web.lock", "install")
	if err != nil {
		t.Fatalf("the process is dead, and %v", err)
	}
	release()
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left is %v", left)
	}
}

func TestTwoNeverHoldTheLock(t *testing.T) {
	dir := t.TempDir()
	var all sync.WaitGroup
	var held, taken sync.Map
	for i := range 8 {
		all.Go(func() {
			for range 500 {
				release, err := takeIn([]string{dir}, "web.lock", "install")
				if errors.Is(err, service.ErrBusy) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				if other, found := held.LoadOrStore("it", i); found {
					t.Errorf("%d has it, and %v", i, other)
				}
				taken.Store(i, true)
				held.Delete("it")
				release()
			}
		})
	}
	all.Wait()
	some := false
	taken.Range(func(any, any) bool { some = true; return false })
	if !some {
		t.Error("nobody has ever had it")
	}
}

func TestServicesDoNotShareALock(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.lock", "b.lock"} {
		release, err := takeIn([]string{dir}, name, "install")
		if err != nil {
			t.Fatal(err)
		}
		defer release()
	}
}

func TestALockOfSomebodyElseIsNotTaken(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "target")
	if err := errors.Join(os.WriteFile(target, []byte("theirs"), 0o644), os.Symlink(target, filepath.Join(dir, "link")), os.Mkdir(filepath.Join(dir, "folder"), 0o700)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"link", "folder"} {
		if _, err := takeIn([]string{dir}, name, "install"); err == nil || errors.Is(err, service.ErrBusy) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if os.Getuid() == 0 {
		if err := os.Chown(target, 65534, 65534); err != nil {
			t.Fatal(err)
		}
		if _, err := takeIn([]string{dir}, "target", "install"); err == nil || !strings.Contains(err.Error(), "belongs to the user with ID 65534") {
			t.Errorf("got %v", err)
		}
	}
	if text, err := os.ReadFile(target); err != nil || string(text) != "theirs" {
		t.Errorf("there is %q, %v", text, err)
	}
}

func TestTheLockIsInTheFirstFolderThatThereIs(t *testing.T) {
	dir := t.TempDir()
	gone := filepath.Join(dir, "gone")
	release, err := takeIn([]string{gone, dir}, "web.lock", "install")
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "web.lock"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v", info, err)
	}
	release()
	if release, err = takeIn([]string{gone}, "web.lock", "install"); err != nil { // as without rights
		t.Fatal(err)
	}
	release()
}

func TestTheLockOfAUserIsWhereOnlyTheUserWrites(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	t.Setenv("XDG_CONFIG_HOME", "")
	for _, runtime := range []string{"", "relative", filepath.Join(dir, "gone")} {
		t.Setenv("XDG_RUNTIME_DIR", runtime)
		if got, err := ofUser(); err != nil || !strings.HasPrefix(got, dir) || got == runtime {
			t.Errorf("%q: got %s, %v", runtime, got, err)
		}
	}
	t.Setenv("XDG_RUNTIME_DIR", dir)
	if got, err := ofUser(); err != nil || got != dir {
		t.Errorf("got %s, %v", got, err)
	}
	release, err := Take("web", true, "install")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "glidepath-web.lock")); err != nil {
		t.Error(err)
	}
	if _, err := Take("web", true, "install"); !errors.Is(err, service.ErrBusy) {
		t.Errorf("got %v", err)
	}
	release()
}

func TestWhatIsNoNoteIsNotQuoted(t *testing.T) {
	for _, text := range []string{"", "install", "install x y", "install 7 yesterday", "a b c d"} {
		if err := held(text); err != service.ErrBusy { //nolint:errorlint // nothing may be wrapped around it
			t.Errorf("%q: %v", text, err)
		}
	}
}
