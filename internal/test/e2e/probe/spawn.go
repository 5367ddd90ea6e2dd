package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"time"
)

// spawnChild runs a child that has the environment that every child gets.
func (p *probe) spawnChild(ctx context.Context) error {
	if p.spawn == "" {
		return nil
	}
	// The file appears with its contents, so that a test can wait for it.
	const dump = `env >"$1.new" && mv "$1.new" "$1"`
	if out, err := exec.CommandContext(ctx, "/bin/sh", "-c", dump, "sh", p.spawn).CombinedOutput(); err != nil {
		return fmt.Errorf("spawn: %w: %s", err, out)
	}
	return nil
}

// leaveChild runs a child that goes on until the file NOTES.lingers is removed.
func (p *probe) leaveChild() error {
	if !p.leave {
		return nil
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	if err := os.WriteFile(string(p.notes)+".lingers", nil, 0o644); err != nil {
		return err
	}
	return exec.Command(exe, "-lingers", "-notes="+string(p.notes)).Start()
}

// linger is the child of leaveChild. It removes the file NOTES.ask whenever there is one.
func linger(notes string) {
	for {
		if _, err := os.Stat(notes + ".lingers"); err != nil {
			return
		}
		_ = os.Remove(notes + ".ask")
		time.Sleep(5 * time.Millisecond)
	}
}

// beget makes orphans, and children that it waits for, at random moments within three
// seconds.
func (p *probe) beget(ctx context.Context) error {
	errs := make([]error, p.children+p.orphans)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() {
			code := i % 125
			script := fmt.Sprintf("exit %d", code)
			if i >= p.children {
				script = fmt.Sprintf("(sleep %d.%d; exit 3) >/dev/null 2>&1 & exit %d", i%3, i%10, code)
			}
			cmd := exec.Command("/bin/sh", "-c", script)
			if errs[i] = cmd.Start(); errs[i] != nil {
				return
			}
			_ = pass(ctx, rand.N(3*time.Second))
			err := cmd.Wait()
			if got := cmd.ProcessState.ExitCode(); got != code {
				errs[i] = fmt.Errorf("child %d: exit code %d, want %d: %w", i, got, code, err)
			}
		})
	}
	all.Wait()
	err := errors.Join(errs...)
	if err == nil {
		p.notes.add("waited for all")
	}
	return err
}
