//go:build !linux

package sdnotify

import "time"

// Client sends nothing: systemd exists only on Linux.
type Client struct{}

// Dial returns no client: there is no manager to notify.
func Dial(string) (*Client, error) { return nil, nil }

// Send does nothing.
func (*Client) Send(Message, time.Duration) error { return nil }

// Barrier does nothing.
func (*Client) Barrier(time.Duration) error { return nil }

// Close does nothing.
func (*Client) Close() error { return nil }

// Monotonic returns 0: nothing compares it.
func Monotonic() time.Duration { return 0 }
