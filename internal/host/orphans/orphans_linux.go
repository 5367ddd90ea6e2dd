package orphans

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// reaper finds orphans and reaps them.
type reaper struct {
	suspects  map[int]bool // the zombies of the last search that nothing here waits for
	subreaper bool         // open has made this process a child subreaper
}

// wanted reports whether orphans should be reaped.
func wanted(asked bool) bool { return asked || os.Getpid() == 1 }

// open checks whether everything needed to recognize orphans is available. With subreaper, it
// makes the process a child subreaper, unless it is PID 1 or a subreaper already.
func (r *reaper) open(subreaper bool) error {
	if self, err := os.Readlink("/proc/self"); err != nil || self != strconv.Itoa(os.Getpid()) {
		return fmt.Errorf("/proc does not belong to this PID namespace: /proc/self is %q, %v", self, err)
	}
	if _, err := children(); err != nil {
		return err
	}
	if err := usesPidfds(); err != nil {
		return err
	}
	if is, err := isSubreaper(); err != nil || is || !subreaper || os.Getpid() == 1 {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("become a child subreaper: %w", err)
	}
	r.subreaper = true
	return nil
}

// isSubreaper reports whether this process is a child subreaper.
func isSubreaper() (bool, error) {
	var is int32
	err := unix.Prctl(unix.PR_GET_CHILD_SUBREAPER, uintptr(unsafe.Pointer(&is)), 0, 0, 0)
	return is != 0, err
}

// close undoes what open did.
func (r *reaper) close() {
	if r.subreaper {
		_ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
	}
}

// usesPidfds returns an error unless package os uses pidfds for processes and heldPIDs finds
// them.
func usesPidfds() error {
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		return err
	}
	defer func() { _ = self.Release() }()
	found, err := heldPIDs()
	if err == nil && !found[os.Getpid()] {
		err = errors.New("cannot tell the children of this process from orphans: that needs pidfds, which need Linux 5.4 and a seccomp filter that permits them")
	}
	return err
}

// reapOnce reaps the zombies that the last search found as well. It reports whether another
// search is needed because it found more zombies that nothing here waits for.
func (r *reaper) reapOnce() bool {
	last := r.suspects
	r.suspects = nil
	pids, err := children()
	if err != nil {
		return false
	}
	var zombies []int
	for _, pid := range pids {
		if hasExited(pid, unix.WNOWAIT) {
			zombies = append(zombies, pid)
		}
	}
	for len(zombies) > 0 {
		n := min(len(zombies), batch)
		r.reapZombies(zombies[:n], last)
		zombies = zombies[n:]
	}
	return len(r.suspects) > 0
}

// batch limits the zombies that are handled at a time: each needs a descriptor.
const batch = 64

// reapZombies reaps the zombies that are certainly orphans, and adds those that may be orphans
// to the suspects. It holds a pidfd for each, which keeps referring to the same process: if
// something else reaped the zombie, a child of the program could get its PID.
func (r *reaper) reapZombies(zombies []int, last map[int]bool) {
	own := make(map[int]int) // PIDs by descriptor
	for _, pid := range zombies {
		if fd, err := unix.PidfdOpen(pid, 0); err == nil {
			own[fd] = pid
			defer func() { _ = unix.Close(fd) }()
		}
	}
	waited, err := heldPIDsExcept(own)
	if err != nil {
		return
	}
	orphans := make(map[int]int)
	for fd, pid := range own {
		switch {
		case waited[pid]:
		case last[pid]:
			orphans[fd] = pid
		default:
			if r.suspects == nil {
				r.suspects = make(map[int]bool)
			}
			r.suspects[pid] = true
		}
	}
	if len(orphans) == 0 {
		return
	}
	// Look again: the first list misses a descriptor that was duplicated and closed meanwhile.
	if waited, err = heldPIDsExcept(own); err != nil {
		return
	}
	for fd, pid := range orphans {
		if !waited[pid] {
			_ = unix.Waitid(unix.P_PIDFD, fd, nil, unix.WEXITED|unix.WNOHANG, nil)
		}
	}
}

// children returns the children of the main thread.
func children() ([]int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/children", os.Getpid()))
	if err != nil {
		return nil, err
	}
	var pids []int
	for field := range strings.FieldsSeq(string(text)) {
		if pid, err := strconv.Atoi(field); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// hasExited reports whether a child has ended. With WNOWAIT, it does not take its status.
func hasExited(pid, options int) bool {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOHANG|options, nil)
	return err == nil && info.Signo == int32(unix.SIGCHLD)
}

// heldPIDs returns the processes that the pidfds of this process refer to.
func heldPIDs() (map[int]bool, error) { return heldPIDsExcept(nil) }

// heldPIDsExcept works like heldPIDs but ignores the descriptors in own.
func heldPIDsExcept(own map[int]int) (map[int]bool, error) {
	dir, err := os.Open("/proc/self/fd")
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	pids := make(map[int]bool)
	for _, name := range names {
		fd, err := strconv.Atoi(name)
		if _, ours := own[fd]; err != nil || ours || !isPidfd(name) {
			continue
		}
		if pid, ok := pidOf(name); ok {
			pids[pid] = true
		}
	}
	return pids, nil
}

// isPidfd reports whether a descriptor is a pidfd. Its link is anon_inode:[pidfd], or
// pidfd:[…] since Linux 6.9.
func isPidfd(fd string) bool {
	link, err := os.Readlink(filepath.Join("/proc/self/fd", fd))
	return err == nil && (link == "anon_inode:[pidfd]" || strings.HasPrefix(link, "pidfd:["))
}

// pidOf returns the process that a pidfd refers to, if there is one (pidfd_open(2)).
func pidOf(fd string) (int, bool) {
	info, err := os.ReadFile(filepath.Join("/proc/self/fdinfo", fd))
	if err != nil {
		return 0, false
	}
	_, text, _ := bytes.Cut(info, []byte("\nPid:"))
	text, _, _ = bytes.Cut(text, []byte("\n"))
	pid, err := strconv.Atoi(string(bytes.TrimSpace(text)))
	return pid, err == nil && pid > 0
}

// childrenEnd returns a channel that delivers a signal when children have ended, and a
// function that stops that.
func childrenEnd() (<-chan os.Signal, func()) {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, unix.SIGCHLD)
	return ended, func() { signal.Stop(ended) }
}
