//go:build linux

package scenario

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/testbed"
)

const module = "github.com/go-glidepath/glidepath"

// Run is for TestMain: it boots a machine for the tests, unless they are not asked for.
func (b *Bed) Run(m *testing.M, boot func(ctx context.Context, binds ...string) (*testbed.Machine, error)) (code int, err error) {
	if !testbed.Enabled() {
		return m.Run(), nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	if b.Programs, err = testbed.Build(ctx, "linux", module+"/internal/e2e/probe"); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.Programs)) }()
	if b.Machine, err = boot(ctx, b.Programs); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, b.Machine.Close()) }()
	if err := testbed.WaitTogether(); err != nil {
		return 1, err
	}
	return m.Run(), nil
}
