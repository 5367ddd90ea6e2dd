//go:build linux

package e2e

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/testbed"
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

	dir, err := buildPrograms(ctx)
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err != nil {
		return 1, err
	}
	programs = dir
	if testbed.Enabled() {
		if machine, err = testbed.Boot(ctx, dir); err != nil {
			return 1, err
		}
		defer func() { err = errors.Join(err, machine.Close()) }()
	}
	if err := waitTogether(); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// buildPrograms builds what the tests run into a new directory.
func buildPrograms(ctx context.Context) (dir string, err error) {
	if dir, err = os.MkdirTemp("", "glidepath-e2e-"); err != nil {
		return "", err
	}
	// User units run as somebody else.
	if err := os.Chmod(dir, 0o755); err != nil {
		return dir, err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", dir+string(filepath.Separator),
		module+"/internal/e2e/probe", module+"/examples/hello", module+"/examples/web")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return dir, fmt.Errorf("build the programs: %w\n%s", err, out)
	}
	return dir, nil
}

// waitTogether lets more tests run at once than there are processors: they wait,
// they do not compute.
func waitTogether() error {
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if chosen {
		return nil
	}
	return flag.Set("test.parallel", "12")
}
