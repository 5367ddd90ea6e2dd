//go:build !unix

package syslog

import (
	"errors"
	"time"

	"github.com/go-glidepath/glidepath/internal/log/queue"
)

// connection always fails: there is no syslog here.
type connection struct{}

func (*connection) dial(string) error { return errors.ErrUnsupported }

func (*connection) close() error { return nil }

func (*connection) send([]byte) (int, queue.Outcome) { return 0, queue.Refused }

func (*connection) wait(time.Duration) {}
