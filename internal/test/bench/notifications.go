//go:build linux

package main

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/go-glidepath/glidepath/internal/host/systemd/sdnotify"
)

// notifications measures one message to the manager: a status with a sign of life.
func notifications(socket string) ([]row, error) {
	const (
		rounds      = 3
		limitNanos  = 2500
		limitAllocs = 0
	)
	d, err := newDrain(socket)
	if err != nil {
		return nil, err
	}
	defer func() { _ = d.close() }()
	client, err := sdnotify.Dial(socket)
	if err != nil {
		return nil, err
	}
	defer func() { _ = client.Close() }()
	if err := os.Setenv("NOTIFY_SOCKET", socket); err != nil { // what the peer reads
		return nil, err
	}
	defer func() { _ = os.Unsetenv("NOTIFY_SOCKET") }()

	buf := make(sdnotify.Message, 0, sdnotify.Max)
	var took, allocs sides
	err = inTurn(rounds, func() error {
		return d.time(&took.ours, &allocs.ours, func() error {
			return client.Send(buf[:0].Add(sdnotify.Watchdog).Status("serving 42 requests"), time.Second)
		})
	}, func() error {
		return d.time(&took.peer, &allocs.peer, func() error {
			_, err := daemon.SdNotify(false, "WATCHDOG=1\nSTATUS=serving 42 requests")
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return []row{
		took.median("sd_notify, one message", nanos, atMost(limitNanos)),
		allocs.median("sd_notify, allocations", count, atMost(limitAllocs)),
	}, nil
}

// drain is a receiver that empties its queue between timed stretches, on the same
// goroutine. One that reads beside the sender would be measured with it: on few
// cores they take turns, so that a message costs two switches of context, and
// a full queue makes the sender wait for the reader. What is left out, to wake a
// reader, is the kernel's work, the same for both sides.
type drain struct {
	fd    int
	batch int // how many fit into the queue for sure
}

func newDrain(path string) (*drain, error) {
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	d := &drain{fd: fd, batch: queueLength()}
	if err := syscall.Bind(fd, &syscall.SockaddrUnix{Name: path}); err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

// queueLength is how many datagrams wait at a socket before a sender has to.
func queueLength() int {
	const least = 10 // of every Linux, unless somebody has lowered it
	text, err := os.ReadFile("/proc/sys/net/unix/max_dgram_qlen")
	if err != nil {
		return least
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return least
	}
	return max(min(n, 64), 1)
}

func (d *drain) close() error { return syscall.Close(d.fd) }

// empty takes n out of the queue.
func (d *drain) empty(n int) error {
	buf := make([]byte, 4096)
	for range n {
		if _, err := syscall.Read(d.fd, buf); err != nil {
			return err
		}
	}
	return nil
}

// time measures send. The clock is our own: stopping that of a benchmark collects
// memory statistics each time, and leaves the caches cold for what comes next.
func (d *drain) time(took, allocs *samples, send func() error) error {
	var failed error
	var elapsed time.Duration
	buf := make([]byte, sdnotify.Max)
	result := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		elapsed = 0
		for left := b.N; left > 0 && failed == nil; {
			n := min(left, d.batch)
			begun := time.Now()
			for range n {
				if err := send(); err != nil {
					failed = err
					return
				}
			}
			elapsed += time.Since(begun)
			for range n {
				if _, err := syscall.Read(d.fd, buf); err != nil {
					failed = err
					return
				}
			}
			left -= n
		}
	})
	if failed != nil {
		return failed
	}
	*took = append(*took, float64(elapsed.Nanoseconds())/float64(result.N))
	*allocs = append(*allocs, float64(result.AllocsPerOp()))
	return nil
}
