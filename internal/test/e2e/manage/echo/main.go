// Echo is a daemon that writes down what it was given, for the tests of the command
// line. What it is and does, it is told in its environment: see package talk.
package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/test/e2e/manage/talk"
)

func main() {
	setup := talk.Setup{Name: "echo", Parser: talk.Flag}
	raw := os.Getenv(talk.Variable)
	if len(os.Args) > 1 && strings.HasPrefix(os.Args[1], talk.SetupFlag) {
		raw = strings.TrimPrefix(os.Args[1], talk.SetupFlag)
	}
	if raw != "" {
		if err := json.Unmarshal([]byte(raw), &setup); err != nil {
			fmt.Fprintf(os.Stderr, "the setup is %q: %v\n", raw, err)
			os.Exit(2)
		}
	}
	args, err := parse(setup.Parser)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	daemon.Main(program(setup), config(setup, raw, args))
}

func program(setup talk.Setup) daemon.Program {
	e := &echo{setup: setup}
	switch {
	case setup.NoReload:
		return struct{ daemon.Program }{e}
	case setup.Pauses:
		return pauser{e}
	}
	return e
}

func config(setup talk.Setup, raw string, args []string) daemon.Config {
	// What is installed is to be the same program.
	environment, arguments := maps.Clone(setup.Environment), setup.Arguments
	switch {
	case raw == "":
	case runtime.GOOS == "windows":
		arguments = slices.Insert(arguments, 0, talk.SetupFlag+raw)
	default:
		if environment == nil {
			environment = map[string]string{}
		}
		environment[talk.Variable] = raw
	}
	c := daemon.Config{
		Name:        setup.Name,
		Description: setup.Description,
		StopTimeout: setup.StopTimeout,
		Args:        args,
		Service: service.Config{
			Arguments:        arguments,
			Environment:      environment,
			EnvironmentFile:  setup.EnvironmentFile,
			WorkingDirectory: setup.Directory,
			Account:          setup.Account,
			Template:         setup.Template,
			StartType:        service.StartType(setup.StartType),
			Recovery:         service.Recovery{Never: setup.Never},
		},
	}
	for _, s := range setup.Sockets {
		c.Service.Sockets = append(c.Service.Sockets, service.Socket(s))
	}
	return c
}
