package daemon

import (
	"slices"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/lifecycle"
)

// phase identifies a part of a run.
type phase uint8

const (
	starting phase = iota // Start runs
	draining              // the drain delay
	stopping              // Stop runs
	waiting               // waiting for goroutines
	closing               // Close runs

	numPhases
)

// phases records how long each phase took.
type phases struct {
	begun, ended [numPhases]time.Time
	overran      []string
}

func (p *phases) begin(x phase) { p.begun[x] = time.Now() }

// end ends x if it has begun and not ended yet.
func (p *phases) end(x phase) {
	if !p.begun[x].IsZero() && p.ended[x].IsZero() {
		p.ended[x] = time.Now()
	}
}

// overrun records what is running at a deadline. calling is the method that runs, if any.
func (p *phases) overrun(calling string) {
	switch {
	case calling != "" && slices.Contains(p.overran, calling): // Start missed its own timeout already
	case calling != "":
		p.overran = append(p.overran, calling)
	case !p.begun[waiting].IsZero() && p.ended[waiting].IsZero():
		p.overran = append(p.overran, "goroutines")
	}
}

// fields returns the fields of the report about the phases that took place.
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

// record begins and ends phases according to the event e and its effects fx.
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

// report returns the fields of the last record of the run, except the number of lost records.
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

// countedFailures returns the number of failures of the program, including those that were
// only counted.
func (r *run) countedFailures() int64 {
	n := r.failures.dropped()
	for _, err := range r.errs {
		if _, ok := err.(*failed); ok {
			n++
		}
	}
	return n
}

// lost returns the known number of lost log records.
func (r *run) lost() uint64 {
	n := uint64(r.book.dropped.Load())
	cores := append([]zapcore.Core{r.sink}, r.config.LogAlso...)
	if r.sink == nil {
		cores = []zapcore.Core{r.config.Logger.Core()}
	}
	for _, core := range cores {
		if l, ok := core.(interface{ Lost() uint64 }); ok {
			survive(func() { n += l.Lost() }) // the core may belong to the program
		}
	}
	return n
}
