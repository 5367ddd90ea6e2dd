//go:build linux

package testbed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// cachedRoot returns the folder with the root file system of s. If it is not cached, cachedRoot
// builds it.
func cachedRoot(ctx context.Context, s system) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache for the test bed's root (set HOME or XDG_CACHE_HOME): %w", err)
	}
	base := filepath.Join(cache, "glidepath", "testbed")
	if err := os.MkdirAll(base, 0o755); err != nil {
		return "", fmt.Errorf("make the cache for the test bed's root: %w", err)
	}
	dir := filepath.Join(base, s.recipe())

	unlock, err := lock(ctx, dir+".lock")
	if err != nil {
		return "", err
	}
	defer unlock()

	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	building := dir + ".building"
	if err := os.RemoveAll(building); err != nil {
		return "", fmt.Errorf("remove a root that was left half built: %w", err)
	}
	if err := s.build(ctx, building); err != nil {
		return "", errors.Join(err, os.RemoveAll(building))
	}
	// Otherwise a power failure could preserve the new name and lose the contents.
	syscall.Sync()
	if err := os.Rename(building, dir); err != nil {
		return "", fmt.Errorf("move the built root into place: %w", err)
	}
	return dir, nil
}

func (s system) build(ctx context.Context, dir string) error {
	args := []string{"--variant=minbase"}
	if s.packages != "" {
		args = append(args, "--include="+s.packages)
	}
	args = append(args, suite, dir)
	if site := mirror(ctx); site != "" {
		args = append(args, site)
	}
	if err := buildStep(ctx, "debootstrap", args...); err != nil {
		// debootstrap prints only "see the log", which is removed with the folder.
		var log tail
		if b, err := os.ReadFile(filepath.Join(dir, "debootstrap", "debootstrap.log")); err == nil {
			_, _ = log.Write(b)
		}
		return fmt.Errorf("build the root with debootstrap (check that the archive can be reached): %w\n%s", err, &log)
	}
	for _, step := range s.steps {
		if err := buildStep(ctx, "chroot", dir, "/bin/sh", "-euc", step.script); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	return nil
}

func buildStep(ctx context.Context, name string, args ...string) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := containedCommand(ctx, name, args...)
	var out tail
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		// err alone would only say "killed".
		return fmt.Errorf("%w\n%s", errors.Join(context.Cause(ctx), err), &out)
	}
	return nil
}

// lock locks the file at path. It waits while another test process builds the same root.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the lock of the root's cache: %w", err)
	}
	err = poll(ctx, func() (bool, error) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR) {
			return false, nil
		}
		return err == nil, err
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("wait for another process that builds the root and holds %s: %w", path, err), f.Close())
	}
	return func() { _ = f.Close() }, nil
}
