//go:build !unix && !windows

package logtext

import (
	"errors"
	"os"
)

func duplicate(*os.File) (*os.File, error) { return nil, errors.ErrUnsupported }
