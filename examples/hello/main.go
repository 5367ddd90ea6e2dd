// Hello is the smallest daemon.
package main

import (
	"context"

	"github.com/go-glidepath/glidepath/daemon"
)

type hello struct{}

func (hello) Start(ctx context.Context) error {
	daemon.Logger(ctx).Info("hello")
	return nil
}

func (hello) Stop(ctx context.Context) error {
	daemon.Logger(ctx).Info("goodbye")
	return nil
}

func main() {
	daemon.Main(hello{}, daemon.Config{Name: "hello", Description: "says hello and goodbye"})
}
