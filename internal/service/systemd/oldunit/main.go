// Oldunit is a service of kardianos/service, for the tests that take one over:
//
//	oldunit NAME install
//	oldunit NAME
package main

import (
	"fmt"
	"os"

	"github.com/kardianos/service"
)

type program struct{}

func (program) Start(service.Service) error { return nil }
func (program) Stop(service.Service) error  { return nil }

func main() {
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(name string, verb []string) error {
	s, err := service.New(program{}, &service.Config{
		Name: name, DisplayName: "An old service", Description: "was installed by kardianos/service", Arguments: []string{name},
	})
	if err != nil {
		return err
	}
	if len(verb) > 0 {
		return service.Control(s, verb[0])
	}
	return s.Run()
}
