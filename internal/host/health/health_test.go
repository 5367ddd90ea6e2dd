package health

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/lifecycle"
)

var errBoom = errors.New("boom")

// queue is a listener in memory.
type queue struct {
	asking chan net.Conn
	closed chan struct{}
	fails  error        // returned by accept instead of a client
	calls  atomic.Int64 // the number of calls of accept
}

func newQueue() *queue { return &queue{asking: make(chan net.Conn, 8), closed: make(chan struct{})} }

func (q *queue) accept() (io.WriteCloser, error) {
	q.calls.Add(1)
	if q.fails != nil {
		return nil, q.fails
	}
	select {
	case c := <-q.asking:
		return c, nil
	case <-q.closed:
		return nil, net.ErrClosed
	}
}

func (q *queue) close() { close(q.closed) }

// ask connects and returns a channel for the answer.
func (q *queue) ask() <-chan Answer {
	here, there := net.Pipe()
	answer := make(chan Answer, 1)
	go func() {
		a, _ := peer{pid: 1, ours: true, conn: here}.read(context.Background())
		answer <- a
	}()
	q.asking <- there
	return answer
}

// served returns a host that answers the clients of q, for a program with the given Check.
func served(q *queue, check func(context.Context) error) *Host {
	h := New("web")
	h.run = host.Run{Check: check}
	h.serve(q)
	return h
}

func well(context.Context) error { return nil }

func TestHost_AnswersStateAndHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		verdict := error(nil)
		q := newQueue()
		h := served(q, func(context.Context) error { return verdict })
		defer h.Close(t.Context())
		for _, step := range []struct {
			told  host.Status
			check error
			want  Answer
		}{
			{host.Status{State: lifecycle.Starting}, nil, Answer{State: "starting", Since: time.Unix(1, 0)}},
			{host.Status{State: lifecycle.Starting, Checkpoint: 1}, nil, Answer{State: "starting", Since: time.Unix(1, 0)}},
			{host.Status{State: lifecycle.Running}, nil, Answer{State: "running"}},
			{host.Status{State: lifecycle.Running}, errBoom, Answer{State: "running", Since: time.Unix(1, 0), Unhealthy: "boom"}},
			{host.Status{State: lifecycle.Paused}, nil, Answer{State: "paused"}},
			{host.Status{State: lifecycle.Stopping, Reason: "SIGTERM"}, errBoom, Answer{State: "stopping", Reason: "SIGTERM"}},
		} {
			time.Sleep(time.Second)
			verdict = step.check
			before := h.last.Since
			h.Tell(step.told)
			want := step.want
			want.PID, want.Since = 1, time.Now()
			if !step.want.Since.IsZero() {
				want.Since = before // the state is the same
			}
			got := <-q.ask()
			if !got.Since.Equal(want.Since) {
				t.Errorf("%s since %s, want %s", got.State, got.Since, want.Since)
			}
			if got.Since = want.Since; got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		}
	})
}

func TestHost_HangingCheckDelaysTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		h := served(q, func(ctx context.Context) error {
			<-ctx.Done()
			return errBoom
		})
		h.Tell(host.Status{State: lifecycle.Running})
		begun := time.Now()
		answer := <-q.ask()
		if took := time.Since(begun); took != 5*time.Second || answer.Unhealthy != "boom" {
			t.Errorf("after %s it said %+v", took, answer)
		}

		last := q.ask()
		synctest.Wait()
		h.Tell(host.Status{State: lifecycle.Stopped})
		begun = time.Now()
		h.Close(t.Context())
		if took := time.Since(begun); took != 0 {
			t.Errorf("the end of the run waits %s for a Check", took)
		}
		if a := <-last; a.State != "stopped" || a.Unhealthy != "" {
			t.Errorf("who asked before the end is told %+v", a)
		}
	})
}

func TestHost_RetriesAcceptAfterASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		q.fails = errors.New("too many open files")
		h := served(q, well)
		time.Sleep(10*time.Second + time.Millisecond)
		if n := q.calls.Load(); n != 11 {
			t.Errorf("it has tried %d times in 10 s", n)
		}
		h.Close(t.Context())
	})
}

func TestOpen_FailureIsOnlyLogged(t *testing.T) {
	var said []string
	h := New("web")
	h.listen = func(string) (listener, error) { return nil, errBoom }
	h.Open(host.Run{Debug: func(msg string, _ ...zap.Field) { said = append(said, msg) }})
	h.Tell(host.Status{State: lifecycle.Running})
	h.Close(t.Context())
	if len(said) != 1 || said[0] != "nobody can ask this run for its status" {
		t.Errorf("it says %q", said)
	}
}

func TestRead_WaitsTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		defer there.Close()
		ctx, cancel := context.WithTimeout(t.Context(), askBound)
		defer cancel()
		begun := time.Now()
		a, err := peer{pid: 7, ours: true, conn: here}.read(ctx)
		if took := time.Since(begun); !errors.Is(err, ErrSilent) || a.PID != 7 || took != 10*time.Second {
			t.Errorf("after %s: %+v, %v", took, a, err)
		}
	})
}
