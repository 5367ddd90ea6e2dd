//go:build linux

package main

import (
	"os"
	"path/filepath"
)

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
