package main

import (
	"context"
	"fmt"
	"syscall"
	"time"
)

// reloader is the ability of a daemon.Reloader.
type reloader struct{ o *options }

func (r reloader) Reload(ctx context.Context) error {
	r.o.notes.add("reloading")
	switch r.o.reload {
	case "fail":
		return fmt.Errorf("probe: %w", syscall.EACCES)
	case "slow":
		if err := pass(ctx, 2*time.Second); err != nil {
			r.o.notes.add("reload cut short")
			return err
		}
	}
	r.o.notes.add("reloaded")
	return nil
}
