//go:build linux

package testbed

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

const (
	switchName = "GLIDEPATH_E2E"

	install = "apt-get install --no-install-recommends debootstrap systemd-container util-linux debian-archive-keyring"
)

// Enabled reports whether GLIDEPATH_E2E=1 asks for end-to-end tests.
func Enabled() bool { return os.Getenv(switchName) == "1" }

// Require skips t unless [Enabled] returns true. If the tests are enabled on a machine that
// cannot run them, Require fails t instead: a skip would look like a success.
func Require(t testing.TB) {
	t.Helper()
	if !Enabled() {
		t.Skipf("set %s=1, as root, to run the tests that boot a real systemd", switchName)
	}
	if err := checkUsable(); err != nil {
		t.Fatal(err)
	}
}

// checkUsable returns an error if this machine cannot run the test bed.
func checkUsable() error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("the test bed makes namespaces and device nodes: run the tests as root, or unset %s", switchName)
	}
	var missing []string
	for _, tool := range []string{"debootstrap", "systemd-nspawn", "nsenter"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing = append(missing, tool)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("the test bed needs %s: %s", strings.Join(missing, ", "), install)
	}
	return nil
}
