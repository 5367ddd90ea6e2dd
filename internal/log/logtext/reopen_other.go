//go:build unix && !linux

package logtext

import "errors"

const room = 512 // PIPE_BUF

func reopen(int) (int, error) { return -1, errors.ErrUnsupported }
