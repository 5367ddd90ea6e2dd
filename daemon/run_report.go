package daemon

import (
	"slices"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/lifecycle"
)

// phase is a part of a run that takes its time.
type phase uint8

const (
	starting phase = iota // Start
	draining              // the drain delay
	stopping              // Stop
	waiting               // for goroutines
	closing               // Close

	numPhases
)

// phases are how long each has taken.
type phases struct {
	begun, ended [numPhases]time.Time
	overran      []string
}

func (p *phases) begin(x phase) { p.begun[x] = time.Now() }

// end ends x, if it goes on.
func (p *phases) end(x phase) {
	if !p.begun[x].IsZero() && p.ended[x].IsZero() {
		p.ended[x] = time.Now()
	}
}

// overrun notes what goes on at a deadline.
func (p *phases) overrun(calling string) {
	switch {
	case calling != "" && slices.Contains(p.overran, calling): // Start, its own timeout and this one
	case calling != "":
		p.overran = append(p.overran, calling)
	case !p.begun[waiting].IsZero() && p.ended[waiting].IsZero():
		p.overran = append(p.overran, "goroutines")
	}
}

// fields are what the report says of those that there were.
func (p *phases) fields() []zap.Field {
	var fields []zap.Field
	for x, name := range [numPhases]string{"start", "drain", "stop", "wait", "close"} {
		if begun, ended := p.begun[x], p.ended[x]; !begun.IsZero() {
			if ended.IsZero() {
				ended = time.Now() // given up
			}
			fields = append(fields, zap.Duration(name, ended.Sub(begun).Round(time.Microsecond)))
		}
	}
	if p.overran != nil {
		fields = append(fields, zap.Strings("overran", p.overran))
	}
	return fields
}

// record keeps the time of the phases, by what happens and what comes of it.
func (p *phases) record(e lifecycle.Event, fx lifecycle.Effects) {
	switch e {
	case lifecycle.StartOK, lifecycle.StartFailed, lifecycle.StartCancelled:
		p.end(starting)
	case lifecycle.StopOK, lifecycle.StopFailed:
		p.end(stopping)
	case lifecycle.Joined:
		p.end(waiting)
	case lifecycle.CloseOK, lifecycle.CloseFailed:
		p.end(closing)
	}
	if fx.Has(lifecycle.Release) {
		p.end(draining)
	}
	for _, b := range [...]struct {
		effect lifecycle.Effects
		phase  phase
	}{
		{lifecycle.CallStart, starting},
		{lifecycle.ArmDrain, draining},
		{lifecycle.CallStop, stopping},
		{lifecycle.Join, waiting},
		{lifecycle.CallClose, closing},
	} {
		if fx.Has(b.effect) {
			p.begin(b.phase)
		}
	}
}

// report returns what the last record of a run says, except how much of the log is lost.
func (r *run) report() []zap.Field {
	fields := append([]zap.Field{
		zap.Int("code", ExitCode(r.failure())),
		zap.String("trigger", string(r.reason.Trigger)), zap.String("detail", r.reason.Detail),
		zap.Duration("uptime", time.Since(r.begun).Round(time.Millisecond)),
	}, r.phases.fields()...)
	if err := r.failure(); err != nil {
		fields = append(fields, zap.Error(err))
	}
	if n := r.countedFailures(); n > 1 {
		fields = append(fields, zap.Int64("failures", n))
	}
	return fields
}

// countedFailures is how many failures of the program there were: those that are kept, and
// those that are only counted.
func (r *run) countedFailures() int64 {
	n := r.failures.dropped()
	for _, err := range r.errs {
		if _, ok := err.(*failed); ok {
			n++
		}
	}
	return n
}

// lost is how many records of the log were lost, as far as anybody knows.
func (r *run) lost() uint64 {
	n := uint64(r.book.dropped.Load())
	cores := append([]zapcore.Core{r.sink}, r.config.LogAlso...)
	if r.sink == nil {
		cores = []zapcore.Core{r.config.Logger.Core()}
	}
	for _, core := range cores {
		if l, ok := core.(interface{ Lost() uint64 }); ok {
			survive(func() { n += l.Lost() }) // it may be the program's
		}
	}
	return n
}
