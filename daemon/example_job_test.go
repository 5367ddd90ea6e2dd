package daemon_test

import (
	"context"
	"os"
	"os/exec"

	"github.com/go-glidepath/glidepath/daemon"
)

func backup(ctx context.Context, ready func()) error {
	ready()
	dump := exec.CommandContext(ctx, "pg_dump", "--file=orders.sql", "orders")
	dump.Stderr = os.Stderr
	return dump.Run() // nil: the work is done, and the program stops with exit code 0
}

// A job is a function that returns when its work is done.
func Example_job() {
	daemon.Main(daemon.Func(backup), daemon.Config{Name: "backup"})
}
