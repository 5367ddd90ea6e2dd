// Peerstatus is what one would write to ask for the state of the service hello with
// kardianos/service.
package main

import (
	"fmt"
	"os"

	"github.com/kardianos/service"
)

type hello struct{}

func (hello) Start(service.Service) error { return nil }
func (hello) Stop(service.Service) error  { return nil }

func main() {
	s, err := service.New(hello{}, &service.Config{Name: "hello"})
	if err != nil {
		fail(err)
	}
	status, err := s.Status()
	if err != nil {
		fail(err)
	}
	if status != service.StatusRunning {
		fmt.Println("hello does not run")
		os.Exit(3)
	}
	fmt.Println("hello runs")
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
