package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// chat writes to standard output until that fails, which a process survives only
// if it does not die of SIGPIPE.
func (p *probe) chat(ctx context.Context) error {
	for {
		if _, err := fmt.Fprintln(os.Stdout, "chatter"); err != nil {
			_, err2 := fmt.Fprintln(os.Stderr, "chatter")
			p.notes.add(fmt.Sprintf("output failed: %v; %v", err, err2))
			return nil
		}
		if pass(ctx, 20*time.Millisecond) != nil {
			return nil
		}
	}
}
