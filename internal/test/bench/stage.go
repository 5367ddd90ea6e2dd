//go:build linux

package main

import (
	"encoding/gob"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	native "github.com/go-glidepath/glidepath/internal/log/journal"
)

// stageName is the argument with which bench runs itself to be alone with a /run of its
// own: there is only one place for the journal's socket.
const stageName = "stage"

// openStage has measured what needs no systemd, with what is built.
func openStage(bins binaries, n int) (table, error) {
	cmd := exec.Command(bins.bench, "-n", strconv.Itoa(n), stageName, filepath.Dir(bins.bench))
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
	}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("have a /run of one's own: %w", err)
	}
	var t table
	decoded := gob.NewDecoder(out).Decode(&t)
	if err := cmd.Wait(); err != nil {
		return nil, fmt.Errorf("on the stage: %w", err)
	}
	return t, decoded
}

// onStage is that process.
func onStage(dir string, n int) error {
	if err := syscall.Mount("tmpfs", "/run", "tmpfs", 0, ""); err != nil {
		return fmt.Errorf("mount an empty /run: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(native.DefaultSocket), 0o755); err != nil {
		return err
	}
	bins := binariesIn(dir)
	s, err := newStage(dir)
	if err != nil {
		return err
	}
	var t table
	for _, measure := range []func() ([]row, error){
		func() ([]row, error) { return lives(s, bins, n) },
		func() ([]row, error) { return hang(s, bins, min(n, 20)) },
		func() ([]row, error) { return sizes(bins) },
		func() ([]row, error) { return latencies(s, bins, 3*n) },
		func() ([]row, error) { return notifications(filepath.Join(dir, "drained")) },
		discarded,
		records,
	} {
		rows, err := measure()
		if err != nil {
			return err
		}
		t = append(t, rows...)
	}
	return gob.NewEncoder(os.Stdout).Encode(t)
}

// stage is where the programs run: what they find there is what they find under
// systemd.
type stage struct {
	dir string
	env []string
}

// newStage makes a stage below dir.
//
// On a machine without systemd the peer would go on to look for every other init
// system. There a file that it takes for a sign of systemd comes last in PATH, so
// that the number of places it looks at stays the same.
func newStage(dir string) (stage, error) {
	s := stage{dir: dir}
	path := "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"
	if _, err := os.Stat("/run/systemd/system"); err != nil {
		path += ":" + dir
		if err := os.WriteFile(filepath.Join(dir, "rpm-ostree"), nil, 0o755); err != nil {
			return s, err
		}
	}
	s.env = []string{"PATH=" + path, "LANG=C.UTF-8"}
	return s, nil
}

func (s stage) socket() string { return filepath.Join(s.dir, "notify") }

// managed is the environment of a process that has a manager.
func (s stage) managed() []string {
	return append([]string{"NOTIFY_SOCKET=" + s.socket()}, s.env...)
}
