package main

import (
	"context"
	"fmt"
	"os/exec"
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
