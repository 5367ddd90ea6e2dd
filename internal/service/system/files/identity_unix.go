//go:build unix && !linux

package files

import (
	"fmt"
	"os"
)

// identity returns the inode of the file.
func identity(file string) string {
	s, ok := stat(os.Lstat(file))
	if !ok {
		return ""
	}
	return fmt.Sprintf("inode:%d", s.Ino)
}
