package command

import (
	"context"
	"time"
)

const (
	retryEvery = 100 * time.Millisecond
	retryBound = 10 * time.Second
)

// Retry calls run, and again for ten seconds while it fails with an error that passing says
// will pass: a tool that found something locked or in use. It returns the last error. When
// ctx ends, it does not wait any longer.
func Retry(ctx context.Context, passing func(err error) bool, run func() error) error {
	every := time.NewTicker(retryEvery)
	defer every.Stop()
	for tries := int(retryBound / retryEvery); ; tries-- {
		err := run()
		if err == nil || tries == 0 || !passing(err) {
			return err
		}
		select {
		case <-every.C:
		case <-ctx.Done():
			return err
		}
	}
}
