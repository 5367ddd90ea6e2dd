package winsvc

import (
	"context"
	"errors"
)

// counted is a context that ends after Err was called left times.
type counted struct {
	context.Context
	left int
}

var errCounted = errors.New("counted")

func (c *counted) Err() error {
	if c.left--; c.left < 0 {
		return errCounted
	}
	return nil
}
