//go:build !unix && !windows

package dirs

import (
	"io/fs"
	"os"
)

func privileged() bool { return false }

func create(dir string, _ bool) error { return os.Mkdir(dir, 0o700) }

func private(string) error { return nil }

func trusted(string, fs.FileInfo) error { return nil }
