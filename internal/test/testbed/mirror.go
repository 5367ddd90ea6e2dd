//go:build linux

package testbed

import (
	"context"
	"os/exec"
	"strings"
)

// mirror is the Debian archive that apt uses on this machine. It is empty where
// apt knows none, for example on another distribution: debootstrap then takes
// its own default.
func mirror(ctx context.Context) string {
	targets, err := exec.CommandContext(ctx, "apt-get", "indextargets", "--format", "$(LABEL) $(SITE)").Output()
	if err != nil {
		return ""
	}
	return archiveSite(string(targets))
}

// The label tells the archive from Debian-Security, which has no base system.
func archiveSite(targets string) string {
	for line := range strings.Lines(targets) {
		site, ok := strings.CutPrefix(strings.TrimSpace(line), "Debian ")
		if ok && strings.HasPrefix(site, "http") {
			return site
		}
	}
	return ""
}
