//go:build !linux

package sdnotify

import "time"

// Client sends nothing: systemd is on Linux only.
type Client struct{}

// Dial says that there is nobody to tell.
func Dial(string) (*Client, error) { return nil, nil }

// Send does nothing.
func (*Client) Send(Message, time.Duration) error { return nil }

// Barrier does nothing.
func (*Client) Barrier(time.Duration) error { return nil }

// Close does nothing.
func (*Client) Close() error { return nil }

// Monotonic is 0: there is nobody to compare it.
func Monotonic() time.Duration { return 0 }
