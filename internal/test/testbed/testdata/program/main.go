//go:build windows

// Program is a Windows program for the tests of the test bed.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"strconv"

	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/eventlog"
)

func main() {
	var err error
	switch os.Args[1] {
	case "args":
		err = json.NewEncoder(os.Stdout).Encode(os.Args[2:])
	case "dir":
		var dir string
		dir, err = os.Getwd()
		fmt.Println(dir)
	case "exit":
		fmt.Fprintln(os.Stderr, "about to exit")
		var code int
		if code, err = strconv.Atoi(os.Args[2]); err == nil {
			os.Exit(code)
		}
	case "console":
		err = console()
	case "service":
		err = svc.Run(os.Args[2], service{})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func console() error {
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	go func() {
		for range interrupts {
			fmt.Println("interrupted")
		}
	}()
	fmt.Println("ready")
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		fmt.Printf("read %q\n", lines.Text())
		if lines.Text() == "quit" {
			os.Exit(6)
		}
	}
	return lines.Err()
}

type service struct{}

func (service) Execute(args []string, requests <-chan svc.ChangeRequest, status chan<- svc.Status) (bool, uint32) {
	if log, err := eventlog.Open(args[0]); err == nil {
		_ = log.Info(1, "started with "+fmt.Sprint(args))
		_ = log.Close()
	}
	status <- svc.Status{State: svc.Running, Accepts: svc.AcceptStop}
	for request := range requests {
		switch request.Cmd {
		case svc.Interrogate:
			status <- request.CurrentStatus
		case svc.Stop:
			return true, 7
		}
	}
	return false, 0
}
