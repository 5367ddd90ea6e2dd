package daemon_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/go-glidepath/glidepath/daemon"
)

// A setup program installs the service and starts it, without the command line.
func ExampleManage() {
	config := daemon.Config{Name: "web", Service: daemon.Service{
		Dependencies: []string{"network"},
		Hardening:    daemon.Hardening{Profile: daemon.HardenLowPorts},
	}}
	h, err := daemon.Manage(newWeb(), config, "-addr", ":80")
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	done, err := h.Install(ctx, daemon.InstallOptions{Start: true})
	switch {
	case errors.Is(err, daemon.ErrPermission):
		fmt.Println("run the setup as an administrator")
	case err != nil:
		fmt.Println(err)
	case done.Updated:
		fmt.Println("brought up to date:", len(done.Changes), "changes")
	}
}

// A program whose own commands are read by other means mounts those of the service
// beside them.
func ExampleCommands() {
	config := daemon.Config{Name: "web", Service: daemon.Service{Arguments: []string{"serve"}}}
	if len(os.Args) > 2 && os.Args[1] == "service" {
		for _, c := range daemon.Commands(newWeb(), config) {
			if c.Name == os.Args[2] {
				os.Exit(c.Run(context.Background(), os.Args[3:]))
			}
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
