//go:build linux

package e2e

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

const module = "github.com/go-glidepath/glidepath"

var (
	machine  *testbed.Machine // nil unless testbed.Enabled
	programs string           // the directory of the built programs
)

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()

	// Where the tests themselves run under nohup, the programs would inherit that
	// and take no hang-up for one. A caught signal is not inherited; nobody reads it.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)

	programs, err = testbed.Build(ctx, "linux", module+"/internal/test/e2e/probe", module+"/internal/test/e2e/modes", module+"/internal/test/e2e/denied", module+"/examples/hello", module+"/examples/web", module+"/examples/linux")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(programs)) }()
	if testbed.Enabled() {
		if machine, err = testbed.Boot(ctx, programs); err != nil {
			return 1, err
		}
		defer func() { err = errors.Join(err, machine.Close()) }()
	}
	if err := testbed.WaitTogether(); err != nil {
		return 1, err
	}
	return m.Run(), nil
}
