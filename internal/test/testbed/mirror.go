//go:build linux

package testbed

import (
	"context"
	"os/exec"
	"strings"
)

// mirror returns the Debian archive that apt uses on this machine. If apt has none, for example
// on another distribution, mirror returns "": debootstrap then uses its own default.
func mirror(ctx context.Context) string {
	targets, err := exec.CommandContext(ctx, "apt-get", "indextargets", "--format", "$(LABEL) $(SITE)").Output()
	if err != nil {
		return ""
	}
	return archiveSite(string(targets))
}

// archiveSite returns the site of the first target with the label Debian. The label
// distinguishes the archive from Debian-Security, which contains no base system.
func archiveSite(targets string) string {
	for line := range strings.Lines(targets) {
		site, ok := strings.CutPrefix(strings.TrimSpace(line), "Debian ")
		if ok && strings.HasPrefix(site, "http") {
			return site
		}
	}
	return ""
}
