//go:build !unix

package files

import (
	"io/fs"
	"os"
)

// Open opens a file to be read.
func (t Tree) Open(p string) (*os.File, error) { return os.Open(t.Path(p)) }

func chmod(folder string, mode fs.FileMode) error { return os.Chmod(folder, mode) }

// Give gives a folder to another owner. What is no folder, or a link to one, is an
// error.
func Give(folder string, uid, gid int) error { return os.Lchown(folder, uid, gid) }

// Owner is the ID of the user to whom a folder belongs, and whether there is one.
func Owner(string) (uid int, ok bool) { return 0, false }
