//go:build !unix

package syslog

import (
	"errors"
	"time"
)

// connection is none: there is no syslog.
type connection struct{}

func (*connection) dial(string) error { return errors.ErrUnsupported }

func (*connection) open() bool { return false }

func (*connection) close() error { return nil }

func (*connection) send([]byte, time.Duration) error { return errors.ErrUnsupported }
