package health

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/host"
)

// BenchmarkOpenClose measures the cost for a run that gets no questions.
func BenchmarkOpenClose(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		h := New("bench")
		h.Open(host.Run{Check: well, Debug: func(msg string, fields ...zap.Field) { b.Error(msg, fields) }})
		h.Close(b.Context())
	}
}

// BenchmarkAsk measures a question and its answer.
func BenchmarkAsk(b *testing.B) {
	h := New(fmt.Sprintf("bench-%d", os.Getpid()))
	h.Open(host.Run{Check: well, Debug: func(msg string, fields ...zap.Field) { b.Error(msg, fields) }})
	defer h.Close(b.Context())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Ask(b.Context(), h.name, 0); err != nil {
			b.Fatal(err)
		}
	}
}
