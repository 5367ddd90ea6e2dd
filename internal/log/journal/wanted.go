package journal

import (
	"os"
	"strconv"
	"strings"
)

// Wanted reports whether f, standard error, leads to the journal, so that records may take
// the other way there. env is the value of JOURNAL_STREAM: that it is set is not enough,
// for children inherit it, also those whose standard error was led elsewhere.
func Wanted(env string, f *os.File) bool {
	d, i, ok := strings.Cut(env, ":")
	if !ok {
		return false
	}
	device, err := strconv.ParseUint(d, 10, 64)
	inode, err2 := strconv.ParseUint(i, 10, 64)
	return err == nil && err2 == nil && isFile(f, device, inode)
}
