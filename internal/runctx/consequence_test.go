package runctx

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

// list is an error that cannot be compared.
type list []string

func (list) Error() string { return "list" }

func TestWhatSaysOnlyThatTheContextHasEndedIsAConsequence(t *testing.T) {
	why, boom := errors.New("why"), errors.New("boom")
	alive := context.Background()
	cancelled, cancel := context.WithCancelCause(alive)
	cancel(why)
	expired, stop := context.WithDeadline(alive, time.Time{})
	defer stop()
	odd, cancel := context.WithCancelCause(alive)
	cancel(list{"x"})

	for name, test := range map[string]struct {
		ctx  context.Context
		err  error
		want bool
	}{
		"while it lives":           {alive, context.Canceled, false},
		"its error":                {cancelled, context.Canceled, true},
		"its cause":                {cancelled, why, true},
		"its error, wrapped":       {cancelled, fmt.Errorf("read: %w", context.Canceled), true},
		"another error":            {cancelled, boom, false},
		"another kind of end":      {cancelled, context.DeadlineExceeded, false},
		"its deadline":             {expired, context.DeadlineExceeded, true},
		"joined with its cause":    {cancelled, errors.Join(context.Canceled, why), true},
		"joined with something":    {cancelled, errors.Join(context.Canceled, boom), false},
		"wrapped with something":   {cancelled, fmt.Errorf("%w after %w", boom, context.Canceled), false},
		"no error":                 {cancelled, nil, false},
		"a cause without equality": {odd, list{"x"}, false},
	} {
		if got := Consequence(test.ctx, test.err); got != test.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}
