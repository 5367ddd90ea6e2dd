//go:build !unix && !windows

package crash

import (
	"errors"
	"io/fs"
	"os"
)

func create(string) (*os.File, error) { return nil, errors.ErrUnsupported }

func claim(string) (*os.File, error) { return nil, errors.ErrUnsupported }

func openRegular(string, int) (*os.File, error) { return nil, errors.ErrUnsupported }

func checkPrivate(string, fs.FileInfo, bool) error { return nil }
