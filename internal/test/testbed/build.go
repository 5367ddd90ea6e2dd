//go:build linux

package testbed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Build builds programs for goos in a new directory that every user of a [Machine] can read.
// The caller must remove it.
func Build(ctx context.Context, goos string, packages ...string) (dir string, err error) {
	if dir, err = os.MkdirTemp("", "glidepath-testbed-"); err != nil {
		return "", fmt.Errorf("make a directory for the programs: %w", err)
	}
	// MkdirTemp makes it accessible only to its owner.
	err = os.Chmod(dir, 0o755)
	if err == nil {
		_, err = Go(ctx, goos, append([]string{"build", "-o", dir + string(filepath.Separator)}, packages...)...)
	}
	if err != nil {
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	return dir, nil
}

// Go runs the go command for goos and returns its output. The programs that it builds need no
// C library and do not depend on GOFLAGS.
func Go(ctx context.Context, goos string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), "GOOS="+goos, "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false")
	var stderr tail
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s for %s: %w\n%s", strings.Join(args, " "), goos, errors.Join(context.Cause(ctx), err), &stderr)
	}
	return string(out), nil
}
