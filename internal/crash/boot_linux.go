package crash

import (
	"os"
	"strings"
)

// bootID returns an ID of the machine's current boot.
func bootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}
