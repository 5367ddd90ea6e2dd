package orphans

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"github.com/go-glidepath/glidepath/internal/host"
)

// onMain makes the main thread call a function: the kernel lists the children of that thread
// together with orphans.
var onMain = make(chan func())

func init() { runtime.LockOSThread() }

func TestMain(m *testing.M) {
	code := make(chan int)
	go func() { code <- m.Run() }()
	for {
		select {
		case f := <-onMain:
			f()
		case c := <-code:
			os.Exit(c)
		}
	}
}

// startOnMain starts cmd on the main thread.
func startOnMain(cmd *exec.Cmd) error {
	done := make(chan error)
	onMain <- func() { done <- cmd.Start() }
	return <-done
}

// opened returns a reaper after making this process one that orphans go to.
func opened(t *testing.T) *reaper {
	t.Helper()
	r := &reaper{}
	if err := r.open(true); err != nil {
		t.Skipf("not here: %v", err)
	}
	t.Cleanup(r.close)
	return r
}

// orphan makes an orphan and returns its PID once it is a zombie.
func orphan(t *testing.T) (pid int) {
	t.Helper()
	hold, release, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/bin/sh", "-c", "cat <&3 >/dev/null 2>&1 & echo $!")
	cmd.ExtraFiles = []*os.File{hold}
	out, err := cmd.Output() // when the shell has ended, cat is a child of this process
	_ = hold.Close()
	if err != nil {
		t.Fatal(err)
	}
	if pid, err = strconv.Atoi(strings.TrimSpace(string(out))); err != nil {
		t.Fatal(err)
	}
	_ = release.Close()
	awaitEnd(t, pid)
	return pid
}

// awaitEnd waits until a child is a zombie, or no child any more.
func awaitEnd(t *testing.T, pid int) {
	t.Helper()
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err == nil || errors.Is(err, unix.ECHILD) {
			return
		}
		if !errors.Is(err, unix.EINTR) {
			t.Fatalf("wait for %d: %v", pid, err)
		}
	}
}

func TestReapOnce_ReapsAnOrphanTheSecondTime(t *testing.T) {
	r := opened(t)
	pids := []int{orphan(t), orphan(t)}
	if !r.reapOnce() {
		t.Error("it takes no second look")
	}
	for _, pid := range pids {
		if !hasExited(pid, unix.WNOWAIT) {
			t.Errorf("%d is gone at the first look", pid)
		}
	}
	if r.reapOnce() {
		t.Error("it takes a third look")
	}
	for _, pid := range pids {
		if hasExited(pid, unix.WNOWAIT) {
			t.Errorf("%d is still a zombie", pid)
		}
	}
}

func TestReapOnce_ManyOrphans(t *testing.T) {
	r := opened(t)
	const many = 3*batch + 1
	out, err := exec.Command("/bin/sh", "-c", fmt.Sprintf("i=0; while [ $i -lt %d ]; do true & i=$((i+1)); done", many)).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for range 1000 {
		pids, err := children()
		if err != nil {
			t.Fatal(err)
		}
		if !r.reapOnce() && len(pids) == 0 {
			return
		}
		runtime.Gosched()
	}
	pids, _ := children()
	t.Errorf("%d are left", len(pids))
}

// TestReapOnce_LeavesChildrenOfTheProgram starts children in all ways and waits for them at random
// moments. Meanwhile it looks for orphans all the time.
func TestReapOnce_LeavesChildrenOfTheProgram(t *testing.T) {
	r := opened(t)
	end := make(chan struct{})
	var looking, waiting sync.WaitGroup
	looking.Go(func() {
		for {
			r.reapOnce()
			select {
			case <-end:
				return
			default:
			}
		}
	})
	slots := make(chan struct{}, 64)
	for i := range 1000 {
		slots <- struct{}{}
		waiting.Go(func() {
			defer func() { <-slots }()
			code := i % 125
			cmd := exec.Command("/bin/sh", "-c", fmt.Sprintf("exit %d", code))
			var pidfd int
			if i%5 == 0 {
				cmd.SysProcAttr = &syscall.SysProcAttr{PidFD: &pidfd}
			}
			start := cmd.Start
			if i%2 == 0 {
				start = func() error { return startOnMain(cmd) }
			}
			if err := start(); err != nil {
				t.Errorf("start: %v", err)
				return
			}
			if i%5 == 0 {
				_ = unix.Close(pidfd) // package os has another one
			}
			if i%3 > 0 {
				awaitEnd(t, cmd.Process.Pid)
				for range rand.IntN(1000) { // some searches later
					runtime.Gosched()
				}
			}
			_ = cmd.Wait()
			if got := cmd.ProcessState.ExitCode(); got != code {
				t.Errorf("child %d ended with %s, want exit code %d", i, cmd.ProcessState, code)
			}
		})
	}
	waiting.Wait()
	close(end)
	looking.Wait()
}

func TestReapOnce_DoesNotSuspectAChildWaitedForLate(t *testing.T) {
	r := opened(t)
	cmd := exec.Command("/bin/sh", "-c", "exit 7")
	if err := startOnMain(cmd); err != nil {
		t.Fatal(err)
	}
	awaitEnd(t, cmd.Process.Pid)
	if pids, err := children(); err != nil || !slices.Contains(pids, cmd.Process.Pid) {
		t.Fatalf("it is not among %v, %v: the test shows nothing", pids, err)
	}
	for range 10 {
		if r.reapOnce() {
			t.Fatal("it is suspected")
		}
	}
	if _ = cmd.Wait(); cmd.ProcessState.ExitCode() != 7 {
		t.Errorf("it ended with %s", cmd.ProcessState)
	}
}

func TestReapOnce_ReapsAReleasedChild(t *testing.T) {
	r := opened(t)
	cmd := exec.Command("/bin/true")
	if err := startOnMain(cmd); err != nil {
		t.Fatal(err)
	}
	pid := cmd.Process.Pid
	awaitEnd(t, pid)
	if err := cmd.Process.Release(); err != nil {
		t.Fatal(err)
	}
	if !r.reapOnce() || r.reapOnce() || hasExited(pid, unix.WNOWAIT) {
		t.Error("it is still a zombie")
	}
}

func TestHost_IsASubreaperWhileOpen(t *testing.T) {
	opened(t).close() // skip if it cannot be one
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	h := New(true)
	h.interval = time.Nanosecond
	h.Open(host.Run{Warn: func(msg string, fields ...zap.Field) { t.Errorf("warned: %s %v", msg, fields) }})
	pid := orphan(t)
	for hasExited(pid, unix.WNOWAIT) {
		runtime.Gosched()
	}
	h.Close(t.Context())
	if is := subreaper(t); is {
		t.Error("orphans still come")
	}
}

func TestHost_LeavesAnExistingSubreaperOne(t *testing.T) {
	r := opened(t)
	h := New(true)
	h.Open(host.Run{})
	h.Close(t.Context())
	if !subreaper(t) {
		t.Error("it is none any more")
	}
	r.close()
}

func subreaper(t *testing.T) bool {
	t.Helper()
	is, err := isSubreaper()
	if err != nil {
		t.Fatal(err)
	}
	return is
}

func TestNew_NilUnlessAskedFor(t *testing.T) {
	if h := New(false); h != nil && os.Getpid() != 1 {
		t.Errorf("got %+v", h)
	}
}

func TestHeldPIDs_FindsPidfdsAmongOtherDescriptors(t *testing.T) {
	opened(t)
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	cmd := exec.Command("/bin/cat")
	cmd.Stdin = in
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	found, err := heldPIDs()
	if err != nil || !found[cmd.Process.Pid] || found[os.Getpid()] || found[os.Getppid()] {
		t.Errorf("found %v, %v, want %d", found, err, cmd.Process.Pid)
	}
	_ = out.Close()
	_ = cmd.Wait()
	if found, err = heldPIDs(); err != nil || found[cmd.Process.Pid] {
		t.Errorf("found %v, %v after Wait", found, err)
	}
}
