package crash

import "golang.org/x/sys/unix"

// bootID returns an ID of the machine's current boot.
func bootID() string {
	id, err := unix.Sysctl("kern.bootsessionuuid")
	if err != nil {
		return ""
	}
	return id
}
