package daemon

import (
	"context"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/log/logmeta"
	"github.com/go-glidepath/glidepath/internal/runctx"
)

// Trace returns a field that assigns a record to the trace and the span that
// Config.TraceIDs finds in ctx. If there are none, zap skips the field. Trace is for zap;
// records of slog calls with a context have their trace without it.
//
//	daemon.Logger(ctx).Info("served", daemon.Trace(ctx))
func Trace(ctx context.Context) zap.Field {
	if t := tracer(ctx); t != nil {
		return t(ctx).Field()
	}
	return zap.Skip()
}

// tracer returns the function that finds the trace of a context in the run of ctx, nil if
// there is none.
func tracer(ctx context.Context) func(context.Context) logmeta.Trace {
	if r, ok := runctx.Find(ctx).(*run); ok {
		return r.config.tracer()
	}
	return nil
}

// tracer returns a function that calls c.TraceIDs and recovers from its panics, nil if
// c.TraceIDs is nil.
func (c *Config) tracer() func(context.Context) logmeta.Trace {
	find := c.TraceIDs
	if find == nil {
		return nil
	}
	return func(ctx context.Context) (t logmeta.Trace) {
		defer func() {
			if recover() != nil {
				t = logmeta.Trace{TraceID: "PANIC"}
			}
		}()
		t.TraceID, t.SpanID = find(ctx)
		return t
	}
}
