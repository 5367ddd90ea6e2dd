package command

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestRetry(t *testing.T) {
	inUse, broken := errors.New("in use"), errors.New("broken")
	for name, test := range map[string]struct {
		fails int // how often it is in use
		then  error
		err   error
		took  time.Duration
	}{
		"it succeeds":        {0, nil, nil, 0},
		"it is in use twice": {2, nil, nil, 2 * retryEvery},
		"it fails":           {1, broken, broken, retryEvery},
		"it stays in use":    {1 << 30, nil, inUse, retryBound},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun, calls := time.Now(), 0
				err := Retry(t.Context(), func(err error) bool { return errors.Is(err, inUse) }, func() error {
					if calls++; calls <= test.fails {
						return inUse
					}
					return test.then
				})
				if took := time.Since(begun); !errors.Is(err, test.err) || err == nil && test.err != nil || took != test.took {
					t.Errorf("got %v after %s, want %v after %s", err, took, test.err, test.took)
				}
			})
		})
	}
}

func TestRetry_EndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun, inUse := time.Now(), errors.New("in use")
		err := Retry(ctx, func(error) bool { return true }, func() error { return inUse })
		if took := time.Since(begun); !errors.Is(err, inUse) || took != time.Second {
			t.Errorf("got %v after %s", err, took)
		}
	})
}
