//go:build unix

package files

import (
	"errors"
	"os"
	"syscall"
)

// sync makes what has happened to the names in dir outlive a power cut.
func sync(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) { // not every file system can
		err = nil
	}
	return errors.Join(err, d.Close())
}
