package journal

import (
	"os"
	"strconv"
	"strings"
)

// Wanted reports whether standard error, f, leads to the journal, so that records may as
// well go there directly. env is the value of JOURNAL_STREAM. Its presence alone proves
// nothing: children inherit it, even if their standard error leads elsewhere.
func Wanted(env string, f *os.File) bool {
	d, i, ok := strings.Cut(env, ":")
	if !ok {
		return false
	}
	device, err := strconv.ParseUint(d, 10, 64)
	inode, err2 := strconv.ParseUint(i, 10, 64)
	return err == nil && err2 == nil && isFile(f, device, inode)
}
