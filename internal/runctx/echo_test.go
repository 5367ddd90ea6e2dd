package runctx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"testing"
	"time"
)

// list implements an error that cannot be compared.
type list []string

func (list) Error() string { return "list" }

// cancelledWith returns a context that has ended with that cause.
func cancelledWith(cause error) context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	return ctx
}

func TestEcho(t *testing.T) {
	why, boom := errors.New("why"), errors.New("boom")
	alive := context.Background()
	cancelled := cancelledWith(why)
	expired, stop := context.WithDeadline(alive, time.Time{})
	defer stop()
	below, stop := context.WithTimeout(cancelled, time.Hour)
	defer stop()
	_, dial := new(net.Dialer).DialContext(cancelled, "tcp", "127.0.0.1:1")
	if dial == nil || !errors.Is(dial, context.Canceled) {
		t.Fatalf("a dial that is cut off ends with %v", dial)
	}

	for name, test := range map[string]struct {
		err      error
		ctx, run context.Context
		want     bool
	}{
		"no error":            {nil, cancelled, cancelled, false},
		"while both live":     {context.Canceled, alive, alive, false},
		"the context's error": {context.Canceled, cancelled, alive, true},
		"the context's cause": {why, cancelled, alive, true},
		"the run's error, from a context of its own": {context.Canceled, alive, cancelled, true},
		"its error, wrapped":                         {fmt.Errorf("read: %w", context.Canceled), cancelled, cancelled, true},
		"its error in a net.OpError":                 {&net.OpError{Op: "dial", Err: context.Canceled}, cancelled, cancelled, true},
		"a dial cut off":                             {dial, cancelled, cancelled, true},
		"a request cut off":                          {&url.Error{Op: "Get", URL: "http://x", Err: dial}, cancelled, cancelled, true},
		"its deadline":                               {context.DeadlineExceeded, expired, expired, true},
		"its deadline as net returns it":             {&net.OpError{Op: "dial", Err: deadline{}}, expired, expired, true},
		"a deadline below it, cut off":               {below.Err(), cancelled, cancelled, true},
		"a deadline below it, missed":                {context.DeadlineExceeded, cancelled, cancelled, false},
		"a read that timed out":                      {os.ErrDeadlineExceeded, cancelled, cancelled, false},
		"a server that is closed":                    {fmt.Errorf("serve: %w", http.ErrServerClosed), cancelled, cancelled, true},
		"a server that is closed before the stop":    {http.ErrServerClosed, cancelled, alive, false},
		"a listener that is closed":                  {&net.OpError{Op: "accept", Err: net.ErrClosed}, cancelled, cancelled, true},
		"a listener that is closed too early":        {net.ErrClosed, cancelled, alive, false},
		"the words of a closed listener":             {errors.New("use of closed network connection"), cancelled, cancelled, false},
		"another error":                              {boom, cancelled, cancelled, false},
		"the end of a file":                          {io.ErrUnexpectedEOF, cancelled, cancelled, false},
		"joined with its cause":                      {errors.Join(context.Canceled, why), cancelled, cancelled, true},
		"joined with something":                      {errors.Join(context.Canceled, boom), cancelled, cancelled, false},
		"wrapped with something":                     {fmt.Errorf("%w after %w", boom, context.Canceled), cancelled, cancelled, false},
		"joined with nothing":                        {emptyJoin{}, cancelled, cancelled, false},
		"wraps nothing":                              {emptyWrap{}, cancelled, cancelled, false},
		"an error that panics":                       {(*url.Error)(nil), cancelled, cancelled, false},
		"a cause without equality":                   {list{"x"}, cancelledWith(list{"x"}), alive, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Echo(test.err, test.ctx, test.run); got != test.want {
				t.Errorf("Echo(%v) is %t", test.err, got)
			}
		})
	}
}

// deadline implements an error that only errors.Is matches with context.DeadlineExceeded.
type deadline struct{}

func (deadline) Error() string        { return "i/o timeout" }
func (deadline) Is(target error) bool { return target == context.DeadlineExceeded }

type emptyJoin struct{}

func (emptyJoin) Error() string   { return "nothing" }
func (emptyJoin) Unwrap() []error { return nil }

type emptyWrap struct{}

func (emptyWrap) Error() string { return "nothing" }
func (emptyWrap) Unwrap() error { return nil }
