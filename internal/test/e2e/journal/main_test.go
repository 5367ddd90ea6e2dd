//go:build linux

package journal

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

var (
	machine  *testbed.Machine // nil unless testbed.Enabled
	programs string           // the directory of the built programs: logger and probe
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
	programs, err = testbed.Build(ctx, "linux", "github.com/go-glidepath/glidepath/internal/test/e2e/journal/logger",
		"github.com/go-glidepath/glidepath/internal/test/e2e/probe")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(programs)) }()
	if machine, err = testbed.Boot(ctx, programs); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, machine.Close()) }()
	if err := testbed.WaitTogether(); err != nil {
		return 1, err
	}
	return m.Run(), nil
}
