// Peer does the work of examples/hello with what one would take without this
// library: kardianos/service, zap as it comes for production, and go-systemd.
package main

import (
	"fmt"
	"os"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/kardianos/service"
	"go.uber.org/zap"
)

type hello struct{ log *zap.Logger }

func (h hello) Start(service.Service) error {
	h.log.Info("hello")
	if _, err := daemon.SdNotify(true, daemon.SdNotifyReady); err != nil {
		h.log.Warn("systemd was not told that the service is ready", zap.Error(err))
	}
	return nil
}

func (h hello) Stop(service.Service) error {
	h.log.Info("goodbye")
	return nil
}

func main() {
	log, err := zap.NewProduction()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := run(log); err != nil {
		log.Fatal("failed", zap.Error(err))
	}
	_ = log.Sync() // a pipe or a socket cannot be synced, and says so each time
}

func run(log *zap.Logger) error {
	s, err := service.New(hello{log}, &service.Config{Name: "hello", Description: "says hello and goodbye"})
	if err != nil {
		return err
	}
	return s.Run()
}
