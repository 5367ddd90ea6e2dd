//go:build !linux

package journal

import (
	"errors"
	"time"

	"github.com/go-glidepath/glidepath/internal/log/queue"
)

// socket cannot be opened: the journal exists only on Linux.
type socket struct{}

func (socket) open(string) error                      { return errors.ErrUnsupported }
func (socket) connect(string) error                   { return errors.ErrUnsupported }
func (socket) close()                                 {}
func (socket) send([]byte) queue.Outcome              { return queue.Refused }
func (socket) wait(queue.Outcome, time.Duration) bool { return false }
func (socket) unread() int                            { return 0 }
