package main

import (
	"context"
	"fmt"
	"net"
	"strings"

	"github.com/go-glidepath/glidepath/daemon"
)

// takeSockets takes the sockets that are asked for, and says their name to whoever
// connects.
func (p *probe) takeSockets(ctx context.Context) error {
	if p.sockets == "" {
		return nil
	}
	for name := range strings.SplitSeq(p.sockets, ",") {
		f := daemon.Socket(ctx, name)
		if f == nil {
			p.notes.add(name + ": none")
			continue
		}
		l, err := net.FileListener(f)
		_ = f.Close()
		if err != nil {
			return err
		}
		p.notes.add(fmt.Sprintf("%s: %s %s", name, l.Addr().Network(), l.Addr()))
		context.AfterFunc(ctx, func() { _ = l.Close() })
		daemon.Go(ctx, func(ctx context.Context) error {
			for {
				c, err := l.Accept()
				if err != nil {
					return ctx.Err()
				}
				_, _ = fmt.Fprintln(c, name)
				_ = c.Close()
			}
		})
	}
	return nil
}
