//go:build linux

package inittest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

const module = "github.com/go-glidepath/glidepath"

// Run is for TestMain: it boots the machines for the tests, unless they are not asked
// for.
func Run(m *testing.M, beds ...*Bed) (code int, err error) {
	if !testbed.Enabled() {
		return m.Run(), nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	programs, err := testbed.Build(ctx, "linux", module+"/internal/test/e2e/probe")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(programs)) }()
	// The interop tests are a module of their own.
	if _, err := testbed.Go(ctx, "linux", "-C", filepath.Join("..", "..", "test", "interop"), "build", "-o", programs, "./oldservice"); err != nil {
		return 1, err
	}
	for _, b := range beds {
		b.Programs = programs
		if b.Machine, err = b.Boot(ctx, programs); err != nil {
			return 1, err
		}
		defer func() { err = errors.Join(err, b.Machine.Close()) }()
	}
	if err := testbed.WaitTogether(); err != nil {
		return 1, err
	}
	return m.Run(), nil
}
