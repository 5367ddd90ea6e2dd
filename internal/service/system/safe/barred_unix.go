//go:build unix

package safe

import (
	"fmt"
	"os"
)

// barred looks at the mode, and at the file system.
func barred(file string) (why, remedy string) {
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return "", ""
	case !info.Mode().IsRegular():
		return fmt.Sprintf("%s is no regular file, but %s", file, info.Mode().Type()), "put the program there"
	case info.Size() == 0:
		return file + " is empty", "put the program there"
	case info.Mode().Perm()&0o111 == 0:
		return fmt.Sprintf("%s may not be executed, its mode is %04o", file, info.Mode().Perm()), "chmod +x " + file
	case noexec(file):
		return file + " is on a file system from which nothing may be executed: it is mounted with noexec", "install the service from another place, such as /usr/local/bin"
	}
	return unfit(file)
}
