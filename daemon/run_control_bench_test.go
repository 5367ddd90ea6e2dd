package daemon_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/host/scm"
	"github.com/go-glidepath/glidepath/internal/win32"
)

// wire is a service control manager that costs nothing, so that the benchmark measures only our
// code.
type wire struct {
	scm.API
	handle  func(scm.Control) win32.Errno
	running chan struct{}
}

func (w *wire) Dispatch(main func([]string)) error { main([]string{"bench"}); return nil }

func (w *wire) Register(handle func(scm.Control) win32.Errno) error { w.handle = handle; return nil }

func (w *wire) Report(s scm.Status) error {
	if s.State == win32.Running {
		close(w.running)
	}
	return nil
}

// BenchmarkControlToStop measures the time from the call of the handler with
// SERVICE_CONTROL_STOP until Stop is called, and until the handler returns.
func BenchmarkControlToStop(b *testing.B) {
	var toStop, toAnswer []time.Duration
	for b.Loop() {
		w := &wire{running: make(chan struct{})}
		h, err := scm.Connect(w)
		if err != nil {
			b.Fatal(err)
		}
		var asked time.Time
		p := program{stop: func(context.Context) error {
			toStop = append(toStop, time.Since(asked))
			return nil
		}}
		ended := make(chan error, 1)
		go func() {
			ctx := host.NewContext(b.Context(), host.Env{Hosts: []host.Host{h}})
			ended <- daemon.Run(ctx, p, daemon.Config{Name: "bench", Logger: zap.NewNop()})
		}()
		<-w.running
		<-time.After(time.Millisecond) // as idle as a service is
		asked = time.Now()
		w.handle(scm.Control{Code: win32.ControlStop})
		toAnswer = append(toAnswer, time.Since(asked))
		if err := <-ended; err != nil {
			b.Fatal(err)
		}
	}
	for name, took := range map[string][]time.Duration{"stop": toStop, "answer": toAnswer} {
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Nanoseconds()), "p50-ns/"+name)
		b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds()), "p99-ns/"+name)
	}
}
