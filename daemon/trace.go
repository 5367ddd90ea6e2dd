package daemon

import (
	"context"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/log/logmeta"
	"github.com/go-glidepath/glidepath/internal/runctx"
)

// Trace returns the field that has a record belong to the trace and the span of ctx, as
// Config.TraceIDs finds them there: a field that is skipped if there are none. It is for
// zap; records of slog have it by themselves if ctx is given to them.
//
//	daemon.Logger(ctx).Info("served", daemon.Trace(ctx))
func Trace(ctx context.Context) zap.Field {
	if t := tracer(ctx); t != nil {
		return t(ctx).Field()
	}
	return zap.Skip()
}

// tracer is what finds the trace of a context, nil if nothing does.
func tracer(ctx context.Context) func(context.Context) logmeta.Trace {
	if r, ok := runctx.Find(ctx).(*run); ok {
		return r.config.tracer()
	}
	return nil
}

// tracer is Config.TraceIDs, or nil. The log goes on if that panics.
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
