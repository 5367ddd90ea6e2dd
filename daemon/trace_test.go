package daemon_test

import (
	"context"
	"log/slog"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/daemon"
)

type traceKey struct{}

// traceIDs returns IDs as OpenTelemetry does.
func traceIDs(ctx context.Context) (traceID, spanID string) {
	if ctx.Value(traceKey{}) == "panic" {
		panic("no")
	}
	if id, ok := ctx.Value(traceKey{}).(string); ok {
		return id, "00f0"
	}
	return "", ""
}

func TestTrace_OfTheContextOfARecord(t *testing.T) {
	x, err := try(t, program{start: func(ctx context.Context) error {
		traced, broken := context.WithValue(ctx, traceKey{}, "4bf9"), context.WithValue(ctx, traceKey{}, "panic")
		daemon.Logger(ctx).Info("by zap", daemon.Trace(traced))
		slog.New(daemon.SlogHandler(ctx)).InfoContext(traced, "by slog", "a", 1)
		daemon.Logger(ctx).Info("by nobody", daemon.Trace(ctx))
		daemon.Logger(ctx).Info("by accident", daemon.Trace(broken))
		return nil
	}}, daemon.Config{TraceIDs: traceIDs}, func(x *trial) { x.terminate() })
	expect(t, "result", err, nil)
	for message, want := range map[string]map[string]any{
		"by zap":      {"trace_id": "4bf9", "span_id": "00f0"},
		"by slog":     {"trace_id": "4bf9", "span_id": "00f0", "a": int64(1)},
		"by nobody":   {},
		"by accident": {"trace_id": "PANIC"},
	} {
		got := x.logged(message).ContextMap()
		expect(t, message+": fields", len(got), len(want))
		for key, value := range want {
			expect(t, message+": "+key, got[key], value)
		}
	}
}

func TestTrace_NoneWithoutTraceIDs(t *testing.T) {
	_, err := try(t, program{start: func(ctx context.Context) error {
		expect(t, "the field", daemon.Trace(ctx).Type, zapcore.SkipType)
		return nil
	}}, daemon.Config{}, func(x *trial) { x.terminate() })
	expect(t, "result", err, nil)
	expect(t, "without a run", daemon.Trace(t.Context()), zap.Skip())
}
