package journal

import (
	"strconv"
	"strings"
)

// Wanted reports whether a descriptor, standard error, leads to the journal, so
// that records may take the other way there. env is the value of JOURNAL_STREAM: that
// it is set is not enough, for children inherit it, also those whose standard error was led
// elsewhere.
func Wanted(env string, fd uintptr) bool {
	d, i, ok := strings.Cut(env, ":")
	if !ok {
		return false
	}
	device, err := strconv.ParseUint(d, 10, 64)
	inode, err2 := strconv.ParseUint(i, 10, 64)
	return err == nil && err2 == nil && isFile(fd, device, inode)
}
