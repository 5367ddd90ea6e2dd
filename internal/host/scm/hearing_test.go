package scm

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/lifecycle"
	"github.com/go-glidepath/glidepath/internal/win32"
)

// slow is a manager that takes some time for each report.
type slow struct {
	API
	takes atomic.Int64 // a time.Duration
	told  atomic.Uint32
}

func (*slow) Dispatch(main func([]string)) error       { main(nil); return nil }
func (*slow) Confine() error                           { return nil }
func (*slow) Register(func(Control) win32.Errno) error { return nil }

func (s *slow) Report(st Status) error {
	<-time.After(time.Duration(s.takes.Load()))
	s.told.Store(uint32(st.State))
	return nil
}

// connected returns a host whose service is running.
func connected(t *testing.T, s *slow) (h *Host, stopped func()) {
	t.Helper()
	h, err := Connect(s)
	if err != nil {
		t.Fatal(err)
	}
	h.Open(host.Run{CanPause: true})
	h.Tell(host.Status{State: lifecycle.Running})
	return h, func() {
		h.Tell(host.Status{State: lifecycle.Stopped})
		h.Close(t.Context())
	}
}

func TestTell_ReportsTheStateBeforeTheProgramIsCalled(t *testing.T) {
	for state, want := range map[lifecycle.State]win32.State{
		lifecycle.Pausing: win32.PausePending, lifecycle.Continuing: win32.ContinuePending, lifecycle.Stopping: win32.StopPending,
	} {
		t.Run(state.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &slow{}
				s.takes.Store(int64(20 * time.Millisecond))
				h, stopped := connected(t, s)
				h.Tell(host.Status{State: state})
				if told := win32.State(s.told.Load()); told != want {
					t.Errorf("when Tell returns, %s is reported, want %s", told, want)
				}
				begun := time.Now()
				h.Tell(host.Status{State: state, Checkpoint: 1})
				if took := time.Since(begun); took > 0 {
					t.Errorf("a tick took %s", took)
				}
				stopped()
			})
		})
	}
}

func TestTell_WaitsOnlyOnceForAManagerThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{}
		h, stopped := connected(t, s)
		tell := func(state lifecycle.State, want time.Duration) {
			t.Helper()
			begun := time.Now()
			h.Tell(host.Status{State: state})
			if took := time.Since(begun); took != want {
				t.Errorf("Tell(%s) took %s, want %s", state, took, want)
			}
		}
		synctest.Wait()
		<-time.After(time.Second)
		s.takes.Store(int64(time.Minute))
		tell(lifecycle.Pausing, 100*time.Millisecond)
		tell(lifecycle.Paused, 0)
		tell(lifecycle.Continuing, 0) // the manager still hangs
		<-time.After(time.Hour)
		s.takes.Store(int64(20 * time.Millisecond))
		tell(lifecycle.Stopping, 20*time.Millisecond) // it does not hang any more
		stopped()
	})
}
