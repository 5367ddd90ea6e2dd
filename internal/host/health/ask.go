package health

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"
)

var (
	// ErrNone is returned when no run of the given name can be reached.
	ErrNone = errors.New("no process answers")

	// ErrSilent is returned when the process exists but does not answer in time.
	ErrSilent = errors.New("it does not answer")
)

// peer is a process that listens under the name of the program.
type peer struct {
	pid  int    // 0 if it is not visible from here, for example in another container
	user string // the user it runs as, for error messages
	ours bool   // it runs as the user of this process or as root
	same bool   // root asks a process of another user that runs the same executable
	deaf bool   // it answers other users only
	conn conn
}

type conn interface {
	io.ReadCloser
	SetReadDeadline(t time.Time) error
}

// Ask asks the run of the program called name in the process pid. If pid is 0, it asks any
// process of the program; if there are several, the one with the lowest PID, which usually
// started first. It waits for at most 10 seconds. The answer contains the PID even if the
// error is ErrSilent. An error that matches fs.ErrPermission means that the run belongs to
// another user.
func Ask(ctx context.Context, name string, pid int) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, askBound)
	defer cancel()
	peers, err := findPeers(ctx, name, pid)
	defer func() {
		for _, p := range peers {
			_ = p.conn.Close()
		}
	}()
	if err != nil {
		return Answer{}, err
	}
	p, err := choose(peers, pid)
	if err != nil {
		return Answer{}, err
	}
	return p.read(ctx)
}

// choose returns the peer to ask. Any user may listen under any name, so choose trusts only
// peers that, according to the kernel, run as this user or root, or, if there are none and
// root asks, that run the same executable. Other peers count only if the caller or the
// container names their PID: a user may claim anything about its own processes.
func choose(peers []peer, pid int) (peer, error) {
	peers = slices.DeleteFunc(slices.Clone(peers), func(p peer) bool {
		return p.pid == 0 || pid != 0 && p.pid != pid
	})
	slices.SortStableFunc(peers, func(a, b peer) int { return cmp.Compare(a.pid, b.pid) })
	for _, p := range peers {
		if p.ours || pid != 0 || p.pid == 1 { // named by the manager, or the container's main process
			return p, nil
		}
	}
	if i := slices.IndexFunc(peers, func(p peer) bool { return p.same }); i >= 0 {
		return peers[i], nil
	}
	if len(peers) > 0 {
		return peer{}, fmt.Errorf("%w: process %d runs as %s: ask as that user", fs.ErrPermission, peers[0].pid, peers[0].user)
	}
	return peer{}, ErrNone
}

// read returns the answer of p.
func (p peer) read(ctx context.Context) (Answer, error) {
	stop := context.AfterFunc(ctx, func() { _ = p.conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	a, err := decode(p.conn)
	a.PID = p.pid
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded) && errors.Is(ctx.Err(), context.DeadlineExceeded):
		return a, fmt.Errorf("%w in %s", ErrSilent, askBound)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return a, ctx.Err()
	case isClosed(err):
		return a, p.closedError()
	case err != nil:
		return a, fmt.Errorf("process %d: %w", p.pid, err)
	}
	return a, nil
}

// closedError returns the error for a peer that closed the connection without an answer.
func (p peer) closedError() error {
	if (p.ours || p.same) && !p.deaf {
		return ErrNone // it has ended
	}
	return fmt.Errorf("%w: process %d runs as %s: ask as that user, or as root", fs.ErrPermission, p.pid, p.user)
}
