package logtext

import (
	"io"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/queue"
)

var four = []zap.Field{zap.String("method", "GET"), zap.String("path", "/index.html"), zap.Int("status", 200), zap.Duration("took", 1234567)}

// BenchmarkJSON should take at most 1.1 times as long as BenchmarkZap.
func BenchmarkJSON(b *testing.B) { benchmark(b, objects{newJSONEncoder(JSONOptions{})}) }

func BenchmarkTerminal(b *testing.B) { benchmark(b, newLines(terminal(true))) }

func BenchmarkPrefixed(b *testing.B) { benchmark(b, newLines(prefixed())) }

func benchmark(b *testing.B, f form) {
	b.Helper()
	run(b, newCore(queue.New(queue.Options{Output: discard{}}), f, zap.InfoLevel))
}

// discard takes every record.
type discard struct{}

func (discard) Send(b []byte) (int, queue.Outcome) { return len(b), queue.Taken }
func (discard) Wait(queue.Outcome, time.Duration)  {}
func (discard) Unread() int                        { return 0 }
func (discard) Close() error                       { return nil }

func BenchmarkZap(b *testing.B) {
	run(b, zapcore.NewCore(zapJSON(), zapcore.Lock(zapcore.AddSync(struct{ io.Writer }{io.Discard})), zap.InfoLevel))
}

func run(b *testing.B, core zapcore.Core) {
	b.Helper()
	log := zap.New(core)
	b.ReportAllocs()
	for b.Loop() {
		log.Info("request served", four...)
	}
}

func TestWrite_AllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Log("the race detector empties pools")
		return
	}
	for name, f := range map[string]form{"terminal": newLines(terminal(true)), "prefixed": newLines(prefixed()), "JSON": objects{newJSONEncoder(JSONOptions{})}} {
		f = f.with([]zap.Field{zap.String("a", "b")})
		e, put := entry(zap.InfoLevel, "request served"), func([]byte) {}
		fields := four[:3] // the text of a duration takes one allocation
		if n := testing.AllocsPerRun(1000, func() { f.encode(e, fields, put) }); n >= 1 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
