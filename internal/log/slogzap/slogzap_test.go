package slogzap

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/slogtest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/logmeta"
	"github.com/go-glidepath/glidepath/internal/log/logtext"
)

// jsonTo returns a handler that writes one JSON object per line to w.
func jsonTo(w io.Writer) *Handler {
	return New(zapcore.NewCore(logtext.JSONEncoder(logtext.JSONOptions{}), zapcore.AddSync(w), zap.InfoLevel), "", nil)
}

func TestHandle_AddsTheTraceOfTheContext(t *testing.T) {
	var b bytes.Buffer
	type key struct{}
	h := New(zapcore.NewCore(logtext.JSONEncoder(logtext.JSONOptions{}), zapcore.AddSync(&b), zap.InfoLevel), "", func(ctx context.Context) (found logmeta.Trace) {
		found.TraceID, _ = ctx.Value(key{}).(string)
		return found
	})
	log := slog.New(slog.Handler(h).WithAttrs([]slog.Attr{slog.Int("a", 1)}).WithGroup("g"))
	ctx := context.WithValue(t.Context(), key{}, "4bf9")
	log.InfoContext(ctx, "m")
	log.With("b", 2).InfoContext(ctx, "m", "c", 3)
	log.Info("m", "c", 3)
	want := []string{`"msg":"m","trace_id":"4bf9","a":1}`, `"msg":"m","trace_id":"4bf9","a":1,"g":{"b":2,"c":3}}`, `"msg":"m","a":1,"g":{"c":3}}`}
	for line := range strings.Lines(b.String()) {
		if !strings.HasSuffix(line, want[0]+"\n") {
			t.Errorf("got %s, want %s", line, want[0])
		}
		want = want[1:]
	}
	if len(want) != 0 {
		t.Errorf("%d are missing", len(want))
	}
}

func TestHandler_FollowsSlogsRules(t *testing.T) {
	var b bytes.Buffer
	err := slogtest.TestHandler(jsonTo(&b), func() []map[string]any {
		var all []map[string]any
		for line := range strings.Lines(b.String()) {
			var one map[string]any
			if err := json.Unmarshal([]byte(line), &one); err != nil {
				t.Error(err)
			}
			all = append(all, one)
		}
		return all
	})
	if err != nil {
		t.Error(err)
	}
}

type lazy string

func (l lazy) LogValue() slog.Value { return slog.StringValue("resolved " + string(l)) }

type broken struct{}

func (broken) LogValue() slog.Value { panic("no value") }

type failing struct{ text string }

func (f *failing) Error() string { return f.text }

type object struct{ n int }

func (o *object) MarshalLogObject(enc zapcore.ObjectEncoder) error { enc.AddInt("n", o.n); return nil }

type named struct{}

func (named) String() string { return "by name" }

func TestHandle_AttributesBecomeFields(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, test := range []struct {
		attr slog.Attr
		want string
	}{
		{slog.String("k", "v"), `,"k":"v"`},
		{slog.Int("k", -1), `,"k":-1`},
		{slog.Uint64("k", 1<<63), `,"k":9223372036854775808`},
		{slog.Float64("k", 0.5), `,"k":0.5`},
		{slog.Bool("k", true), `,"k":true`},
		{slog.Duration("k", time.Second), `,"k":"1s"`},
		{slog.Time("k", at), `,"k":"2026-01-02T03:04:05Z"`},
		{slog.Any("k", errors.New("no route")), `,"k":"no route"`},
		{slog.Any("k", fmt.Errorf("x: %w", io.EOF)), `,"k":"x: EOF"`},
		{slog.Any("k", nil), `,"k":null`},
		{slog.Any("k", (*failing)(nil)), `,"k":null`},
		{slog.Any("k", (*object)(nil)), `,"k":null`},
		{slog.Any("k", []byte("ab\n")), `,"k":"ab\n"`},
		{slog.Any("k", []error{errors.New("a"), nil, (*failing)(nil), fmt.Errorf("x: %w", io.EOF)}), `,"k":["a",null,"<nil>","x: EOF"]`},
		{slog.Any("k", []error(nil)), `,"k":[]`},
		{slog.Any("k", named{}), `,"k":"by name"`},
		{slog.Any("k", []int{1, 2}), `,"k":[1,2]`},
		{slog.Any("k", map[string]int{"a": 1}), `,"k":{"a":1}`},
		{slog.Any("k", lazy("x")), `,"k":"resolved x"`},
		{slog.Any("k", broken{}), `,"k":"LogValue panicked`},
		{slog.Group("k", "a", 1, slog.Group("b", "c", lazy("y")), slog.Group("empty")), `,"k":{"a":1,"b":{"c":"resolved y"}}`},
		{slog.Group("", "a", 1), `,"a":1`},
		{slog.Group("k", slog.Group("empty")), ``},
		{slog.Group("k"), ``},
		{slog.Attr{}, ``},
	} {
		var b bytes.Buffer
		r := slog.NewRecord(at, slog.LevelInfo, "m", 0)
		r.AddAttrs(test.attr)
		if err := jsonTo(&b).Handle(t.Context(), r); err != nil {
			t.Error(err)
		}
		if got := b.String(); !strings.HasPrefix(got, `{"level":"info","time":"2026-01-02T03:04:05Z","msg":"m"`+test.want) || test.want == "" && strings.Count(got, ",") != 2 {
			t.Errorf("%v: got %s want %s", test.attr, got, test.want)
		}
	}
}

func TestWithGroup_OmitsOnlyEmptyGroups(t *testing.T) {
	var b bytes.Buffer
	log := slog.New(jsonTo(&b)).WithGroup("a").WithGroup("b")
	log.Info("m")
	log.With("x", 1).WithGroup("c").Info("m", "y", 2)
	log.WithGroup("").Info("m", "z", 3)
	// Two handlers made from one do not affect each other.
	one := log.WithGroup("one")
	two, three := one.WithGroup("two"), one.WithGroup("three")
	three.Info("m", "w", 4)
	two.Info("m", "w", 4)
	var got []string
	for line := range strings.Lines(b.String()) {
		_, after, _ := strings.Cut(line, `"msg":"m"`)
		got = append(got, strings.TrimSpace(after))
	}
	want := `}; ,"a":{"b":{"x":1,"c":{"y":2}}}}; ,"a":{"b":{"z":3}}}; ,"a":{"b":{"one":{"three":{"w":4}}}}}; ,"a":{"b":{"one":{"two":{"w":4}}}}}`
	if s := strings.Join(got, "; "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
}

func TestHandle_UnnamedLevelIsANumber(t *testing.T) {
	for l, want := range map[slog.Level]string{
		slog.LevelInfo: `{"level":"info","msg":"m","g":{"a":1}}`, slog.LevelInfo + 2: `{"level":"info","msg":"m","severity_number":11,"g":{"a":1}}`,
		12: `{"level":"error","msg":"m","severity_number":21,"g":{"a":1}}`,
	} {
		var b bytes.Buffer
		r := slog.NewRecord(time.Time{}, l, "m", 0)
		r.AddAttrs(slog.Int("a", 1))
		if err := jsonTo(&b).WithGroup("g").Handle(t.Context(), r); err != nil || b.String() != want+"\n" {
			t.Errorf("%s: got %s, %v", l, b.String(), err)
		}
	}
	var b bytes.Buffer
	if err := jsonTo(&b).WithGroup("g").Handle(t.Context(), slog.NewRecord(time.Time{}, 1, "m", 0)); err != nil || b.String() != `{"level":"info","msg":"m","severity_number":10}`+"\n" {
		t.Errorf("got %s, %v", b.String(), err)
	}
}

func TestHandle_RoundsLevelsDown(t *testing.T) {
	for l, want := range map[slog.Level]zapcore.Level{
		-8: zap.DebugLevel, slog.LevelDebug: zap.DebugLevel, -1: zap.DebugLevel, slog.LevelInfo: zap.InfoLevel, 3: zap.InfoLevel,
		slog.LevelWarn: zap.WarnLevel, 7: zap.WarnLevel, slog.LevelError: zap.ErrorLevel, 12: zap.ErrorLevel,
	} {
		if got := level(l); got != want {
			t.Errorf("%s is %s, want %s", l, got, want)
		}
	}
}

// synced counts the calls of Sync.
type synced struct {
	zapcore.Core
	n *int
}

func (c synced) Sync() error { *c.n++; return nil }

func TestHandle_WritesAboveErrorBeforeItReturns(t *testing.T) {
	n := 0
	log := slog.New(New(synced{zapcore.NewCore(logtext.JSONEncoder(logtext.JSONOptions{}), zapcore.AddSync(io.Discard), zap.InfoLevel), &n}, "", nil))
	log.Error("goes on")
	if n != 0 {
		t.Errorf("an error is synced %d times", n)
	}
	log.Log(t.Context(), slog.LevelError+4, "exits")
	if n != 1 {
		t.Errorf("it is synced %d times", n)
	}
}
