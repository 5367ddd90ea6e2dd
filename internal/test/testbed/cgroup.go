//go:build linux

package testbed

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

const cgroupPrefix = "glidepath-testbed-"

// newCgroup makes a control group for one container. systemd-nspawn uses a fixed name below its
// own group for its payload, so two containers in the same group would conflict.
func newCgroup() (string, error) {
	parent, err := ownCgroup()
	if err != nil {
		return "", err
	}
	sweepCgroups(parent)
	dir, err := os.MkdirTemp(parent, fmt.Sprintf("%s%d-", cgroupPrefix, os.Getpid()))
	if err != nil {
		return "", fmt.Errorf("make a control group for the container: %w", err)
	}
	return dir, nil
}

func ownCgroup() (string, error) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", fmt.Errorf("find the control groups: %w", err)
	}
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", fmt.Errorf("find the control group of this process: %w", err)
	}
	var mount, group string
	for line := range strings.Lines(string(mounts)) {
		if before, after, _ := strings.Cut(line, " - "); strings.HasPrefix(after, "cgroup2 ") {
			mount = strings.Fields(before)[4]
			break
		}
	}
	for line := range strings.Lines(string(groups)) {
		if path, ok := strings.CutPrefix(line, "0::"); ok {
			group = strings.TrimSpace(path)
		}
	}
	if mount == "" || group == "" {
		return "", errors.New("the test bed needs unified control groups: mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified")
	}
	return filepath.Join(mount, group), nil
}

// sweepCgroups removes the groups of test processes that were killed before Close.
func sweepCgroups(parent string) {
	left, _ := filepath.Glob(filepath.Join(parent, cgroupPrefix+"*"))
	for _, dir := range left {
		owner, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), cgroupPrefix), "-")
		pid, err := strconv.Atoi(owner)
		if err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			_ = removeLeftovers(dir)
		}
	}
}

// removeLeftovers removes the control groups and the folder of a container. It fails while a
// process is left in the group or below it.
func removeLeftovers(dir string) error {
	// systemd-nspawn removes this folder itself, unless it is killed.
	_ = os.Remove(filepath.Join("/run/systemd/nspawn/propagate", filepath.Base(dir)))

	var dirs []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, path)
		}
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("list the container's control groups: %w", err)
	}
	for _, dir := range slices.Backward(dirs) {
		// Not os.Remove, which would return the error of unlink instead of rmdir.
		if err := syscall.Rmdir(dir); err != nil && !errors.Is(err, syscall.ENOENT) {
			procs, _ := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
			return fmt.Errorf("remove the control group %s, which contains processes %q: %w", dir, bytes.Fields(procs), err)
		}
	}
	return nil
}
