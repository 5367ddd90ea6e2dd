//go:build linux

package windows

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
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
	if !testbed.Enabled() {
		return m.Run(), nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()

	// The unit tests look at files beside them.
	sources, err := filepath.Abs(filepath.Join("..", "..", "..", ".."))
	if err != nil {
		return 1, err
	}
	programs, err = testbed.Build(ctx, "windows",
		module+"/internal/test/e2e/probe", module+"/internal/test/e2e/windows/agent", module+"/internal/test/e2e/windows/console", module+"/internal/test/e2e/windows/eventlog",
		module+"/examples/hello", module+"/examples/web", module+"/examples/windows")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(programs)) }()
	if machine, err = testbed.Boot(ctx, programs, sources); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, machine.Close()) }()
	// ctx bounds the preparation only.
	cmd, err := machine.WineCommand(context.Background(), filepath.Join(programs, "agent.exe"))
	if err != nil {
		return 1, err
	}
	if agent, err = connect(cmd); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, agent.Close()) }()
	if err := testbed.WaitTogether(); err != nil {
		return 1, err
	}
	return m.Run(), nil
}
