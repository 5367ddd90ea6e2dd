//go:build linux

package manage

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

// programs is the directory of the built programs: echo, and oldservice.
var programs string

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
	programs, err = testbed.Build(ctx, "linux", "github.com/go-glidepath/glidepath/internal/test/e2e/manage/echo")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(programs)) }()
	// kardianos/service has a module of its own.
	_, err = testbed.Go(ctx, "linux", "-C", filepath.Join("..", "..", "interop"), "build", "-o", programs+string(filepath.Separator), "./oldservice")
	if err != nil {
		return 1, err
	}
	if err := testbed.WaitTogether(); err != nil {
		return 1, err
	}
	return m.Run(), nil
}
