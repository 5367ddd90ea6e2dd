// Oldservice is a program that kardianos/service installs: what a program was before it
// came to this library.
//
//	oldservice NAME install|start|stop|uninstall
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/kardianos/service"
)

type idle struct{}

func (idle) Start(service.Service) error { return nil }
func (idle) Stop(service.Service) error  { return nil }

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return errors.New("want the name of the service, and what to do with it")
	}
	s, err := service.New(idle{}, &service.Config{
		Name: args[0], DisplayName: "Old " + args[0], Description: "what there was before", Arguments: args[:1],
	})
	switch {
	case err != nil:
		return err
	case len(args) == 1:
		return s.Run()
	}
	return service.Control(s, args[1])
}
