package daemon_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/daemon/service"
)

// A setup program installs the service and starts it, without the command line.
func ExampleManage() {
	config := daemon.Config{Name: "web", Service: service.Config{
		Dependencies: []string{"network"},
		Hardening:    service.Hardening{Profile: service.LowPorts},
	}}
	h, err := daemon.Manage(newWeb(), config, "-addr", ":80")
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	done, err := h.Install(ctx, service.InstallOptions{Start: true})
	switch {
	case errors.Is(err, service.ErrPermission):
		fmt.Println("run the setup as an administrator")
	case err != nil:
		fmt.Println(err)
	case done.Updated:
		fmt.Println("brought up to date:", len(done.Changes), "changes")
	}
}

// A program that reads its own command line mounts the commands of the service there.
func ExampleCommands() {
	addr := flag.String("addr", ":8080", "the address to listen on")
	config := func() daemon.Config {
		return daemon.Config{Name: "web", Service: service.Config{Arguments: []string{"-addr", *addr, "serve"}}}
	}
	flag.Parse()
	for _, c := range daemon.Commands(newWeb(), config) {
		if flag.Arg(0) == "service" && flag.Arg(1) == c.Name {
			os.Exit(c.Run(context.Background(), flag.Args()[2:]))
		}
	}
}

func newWeb() daemon.Program {
	return daemon.Func(func(ctx context.Context, ready func()) error {
		ready()
		<-ctx.Done()
		return nil
	})
}
