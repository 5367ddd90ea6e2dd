package files

import (
	"fmt"
	"os"
	"strings"
)

// Purge removes a folder with all that is in it, but nothing of another file system:
// what somebody has mounted there is more than the folder's. It does not follow links.
func (t Tree) Purge(folder string) error {
	if mounts := t.Mounts(folder); len(mounts) > 0 {
		return fmt.Errorf("%s stays: something is mounted at %s; unmount it, and remove it by hand", folder, strings.Join(mounts, ", "))
	}
	return os.RemoveAll(t.Path(folder))
}
