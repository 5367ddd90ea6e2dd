package eventlog

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"unicode"
	"unicode/utf16"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/logevent"
	"github.com/go-glidepath/glidepath/internal/log/logmeta"
)

func TestClassify_Levels(t *testing.T) {
	f := newFake(t)
	c := open(t, f, zap.DebugLevel)
	defer c.shut(t)
	for level, want := range map[zapcore.Level]event{
		zap.DebugLevel: {kind: 4, id: 100}, zap.InfoLevel: {kind: 4, id: 101}, zap.WarnLevel: {kind: 2, id: 102}, zap.ErrorLevel: {kind: 1, id: 103},
		zap.DPanicLevel: {kind: 1, id: 104}, zap.PanicLevel: {kind: 1, id: 104}, zap.FatalLevel: {kind: 1, id: 104}, -7: {kind: 4, id: 100}, 99: {kind: 1, id: 104},
	} {
		write(t, c, level, "m")
		if got := f.last(); got.kind != want.kind || got.id != want.id {
			t.Errorf("%v is type %d, id %d", level, got.kind, got.id)
		}
	}
}

func TestClassify_Events(t *testing.T) {
	f := newFake(t)
	c := open(t, f, zap.DebugLevel)
	defer c.shut(t)
	for _, e := range logevent.All() {
		write(t, c, zap.ErrorLevel, "m", zap.Int("a", 1), e.Field())
		if got := f.last(); got.id != uint32(e) || got.kind != typeError || got.id >= idDebug {
			t.Errorf("%s is type %d, id %d", e, got.kind, got.id)
		}
	}
	with := c.With([]zap.Field{logevent.Ready.Field()}).With([]zap.Field{zap.Int("a", 1)})
	write(t, with, zap.InfoLevel, "m")
	if got := f.last(); got.id != 2 || got.kind != typeInformation {
		t.Errorf("that of With is type %d, id %d", got.kind, got.id)
	}
	write(t, with, zap.InfoLevel, "m", logevent.Stopped.Field())
	if got := f.last(); got.id != 4 {
		t.Errorf("id %d", got.id)
	}
	write(t, c, zap.InfoLevel, "m", zap.String("event", "ready"))
	if got := f.last(); got.id != idInfo {
		t.Errorf("a field of the program gives id %d", got.id)
	}
}

func TestEncode_TextAndObject(t *testing.T) {
	f := newFake(t)
	c := open(t, f, zap.DebugLevel)
	defer c.shut(t)
	with := c.With([]zap.Field{zap.Int("pid", 7)})
	e := zapcore.Entry{
		Level: zap.ErrorLevel, Time: at, LoggerName: "http", Message: "request failed\nfor good",
		Stack: "main.serve\n\tserver.go:1", Caller: zapcore.EntryCaller{Defined: true, File: "/src/web/server.go", Line: 12},
	}
	if err := with.Write(e, []zap.Field{
		zap.String("path", `C:\data\a b`), zap.Error(errors.New("no\x1b\xff route\x00")), zap.String("text", "a\n\tb\r\n"), zap.Strings("l", []string{"x", "y"}), zap.String("smile", "\U0001F600"),
	}); err != nil {
		t.Error(err)
	}
	got := f.last()
	want := "http: request failed\r\n        for good\r\n    pid: 7\r\n    path: C:\\data\\a b\r\n    error: \"no\\x1b\\xff route\\x00\"\r\n" +
		"    l: [x, y]\r\n    smile: \U0001F600\r\n    caller: web/server.go:12\r\n    text:\r\n        a\r\n            b\r\n    stack:\r\n        main.serve\r\n            server.go:1"
	if got.strings[0] != want {
		t.Errorf("got  %q\nwant %q", got.strings[0], want)
	}
	if want := `{"pid":7,"path":"C:\\data\\a b","error":"no\u001b\ufffd route\u0000","text":"a\n\tb\r\n","l":["x","y"],"smile":"` + "\U0001F600" + `"}`; len(got.strings) != 2 || got.strings[1] != want {
		t.Errorf("got  %s\nwant %s", got.strings[1:], want)
	}
	write(t, c, zap.InfoLevel, "plain\n")
	if got := f.last(); len(got.strings) != 1 || got.strings[0] != "plain" {
		t.Errorf("got %q", got.strings)
	}
	write(t, c, zap.InfoLevel, "")
	if got := f.last(); len(got.strings) != 1 || got.strings[0] != "" {
		t.Errorf("got %q", got.strings)
	}
}

func TestEncode_TraceAndLevelAreInNoNamespace(t *testing.T) {
	f := newFake(t)
	c := open(t, f, zap.DebugLevel)
	defer c.shut(t)
	with := c.With([]zap.Field{zap.Namespace("req")})
	if err := with.Write(zapcore.Entry{Message: "m"}, []zap.Field{logmeta.Trace{TraceID: "4bf9", SpanID: "00f0"}.Field(), logmeta.Level(2).Field(), zap.Int("id", 1)}); err != nil {
		t.Error(err)
	}
	got := f.last()
	if want := "m\r\n    trace_id: 4bf9\r\n    span_id: 00f0\r\n    severity_number: 11\r\n    req.id: 1"; got.strings[0] != want {
		t.Errorf("got %q, want %q", got.strings[0], want)
	}
	if want := `{"trace_id":"4bf9","span_id":"00f0","severity_number":11,"req":{"id":1}}`; got.strings[1] != want {
		t.Errorf("got %s, want %s", got.strings[1], want)
	}
}

func TestEncode_EscapesPercentSigns(t *testing.T) {
	f := newFake(t)
	c := open(t, f, zap.DebugLevel)
	defer c.shut(t)
	for text, want := range map[string]string{
		"%1": `\x251`, "%0": `\x250`, "a%20b": `a\x2520b`, "fe80::1%12": `fe80::1\x2512`, "%%5": `%\x255`, "%%%9": `%%\x259`, "%{S-1}": `\x25{S-1}`,
		"100%": "100%", "%s %d": "%s %d", "5% 3": "5% 3", "%": "%", "%%": "%%", "%é": "%é",
	} {
		write(t, c, zap.InfoLevel, text, zap.String("k", text), zap.String("%1", "v"))
		got := f.last()
		if all := want + "\n    k: " + want + "\n    \\x251: v"; got.text() != all {
			t.Errorf("%q: got %q", text, got.text())
		}
		var o map[string]string
		if err := json.Unmarshal([]byte(got.strings[1]), &o); err != nil || o["k"] != text || o["%1"] != "v" {
			t.Errorf("%q: %s: %v", text, got.strings[1], err)
		}
		if description([]string{got.strings[1]}) != got.strings[1] {
			t.Errorf("the object is shown as %q", description([]string{got.strings[1]}))
		}
	}
	// Check that the fake expands.
	if got := description([]string{"a%20b"}); got == "a%20b" {
		t.Error("nothing is replaced")
	}
	if got := description([]string{"%1"}); got != "%1" { // expands to itself, up to the limit
		t.Errorf("got %q", got)
	}
}

func TestEncode_CutsLongText(t *testing.T) {
	f := newFake(t)
	c := open(t, f, zap.DebugLevel)
	defer c.shut(t)
	log := func(text string) {
		write(t, c, zap.InfoLevel, "m", zap.String("k", text))
		flush(c)
	}
	for name, s := range map[string]string{
		"ASCII": strings.Repeat("x", 40_000), "smile": strings.Repeat("\U0001F600", 16_000), "percent": strings.Repeat("%1", 15_000),
		"lines": strings.Repeat("\n", 20_000) + "x", "é": strings.Repeat("é", 32_000), "odd": "x" + strings.Repeat("\U0001F600", 16_000),
	} {
		log(s)
		got := f.last()
		units := len(utf16.Encode([]rune(got.strings[0])))
		if !strings.HasSuffix(got.strings[0], " bytes)") || units < maxUnits-2*maxNote || units > maxUnits || len(got.strings) != 1 {
			t.Errorf("%s: %d units, the end is %q", name, units, got.strings[0][len(got.strings[0])-50:])
		}
		if end := strings.LastIndex(got.strings[0], "\r\n    …("); end < 0 || strings.HasSuffix(got.strings[0][:end], "\r") || strings.HasSuffix(got.strings[0][:end], `\x2`) {
			t.Errorf("%s: cut in the middle", name)
		}
	}
	log(strings.Repeat("x", 40_000))
	if got := f.last().text(); !strings.HasSuffix(got, "x\n    …(40009 bytes)") {
		t.Errorf("the end is %q", got[len(got)-50:])
	}
	// The object is present as long as there is room for it.
	for n, strings := range map[int]int{10_000: 2, 15_490: 2, 15_491: 1, 30_000: 1} {
		log(stringOf('y', n))
		if got := f.last(); len(got.strings) != strings || len(got.strings[0]) < n {
			t.Errorf("%d: %d strings", n, len(got.strings))
		}
	}
	if f.calls != len(f.taken()) || c.Lost() != 0 {
		t.Errorf("%d calls, %d records, %d lost", f.calls, len(f.taken()), c.Lost())
	}
}

func stringOf(c byte, n int) string { return strings.Repeat(string(c), n) }

type panicking struct{}

func (panicking) String() string { panic("no") }

type around struct{ Around *around }

func TestWrite_BadValuesArrive(t *testing.T) {
	f := newFake(t)
	c := open(t, f, zap.DebugLevel)
	defer c.shut(t)
	cyclic := &around{}
	cyclic.Around = cyclic
	many := make([]zap.Field, 500)
	for i := range many {
		many[i] = zap.Float64("f", math.NaN())
	}
	for name, fields := range map[string][]zap.Field{
		"nul": {zap.String("a\x00", "b\x00")}, "utf-8": {zap.String("\xff", "\xff")}, "large": {zap.String("a", stringOf('x', 1<<20)), zap.Binary("b", make([]byte, 1<<20))},
		"many": many, "cyclic": {zap.Reflect("r", cyclic)}, "panic": {zap.Stringer("s", panicking{}), zap.Int("a", 1)}, "chan": {zap.Reflect("r", make(chan int))},
	} {
		write(t, c, zap.InfoLevel, name, fields...)
		write(t, c.With(fields), zap.InfoLevel, name)
		flush(c)
		all := f.taken()
		for _, got := range all[max(0, len(all)-2):] {
			if !strings.HasPrefix(got.strings[0], name+"\r\n    ") {
				t.Errorf("%s: %q", name, got.strings)
			}
			if len(got.strings) == 2 && !json.Valid([]byte(got.strings[1])) {
				t.Errorf("%s: %q", name, got.strings[1])
			}
		}
	}
	if c.Lost() != 0 {
		t.Errorf("%d lost", c.Lost())
	}
}

func FuzzEncode(f *testing.F) {
	f.Add("message", "key", "value")
	f.Add("a\n    k: %1\r\n", "k\n%%2", "v\x00\x1b\xff%{")
	f.Add("%1%1%1", "%", "1\u2028\u202e\U0001F600")
	f.Fuzz(func(t *testing.T, msg, key, value string) {
		log := newFake(t)
		c := open(t, log, zap.DebugLevel)
		defer c.shut(t)
		write(t, c, zap.InfoLevel, msg, zap.String(key, value), zap.Strings(key, []string{value}), zap.Reflect(key, value), zap.Namespace(key), zap.String(value, key))
		got := log.last()
		own := 0
		for i, line := range strings.Split(got.strings[0], "\r\n") {
			for _, r := range line {
				if !unicode.IsGraphic(r) {
					t.Fatalf("%q is in %q", r, line)
				}
			}
			if i > 0 && !strings.HasPrefix(line, "     ") && !strings.HasPrefix(line, "    …(") {
				own++
			}
			if i > 0 && !strings.HasPrefix(line, "    ") || own > 4 {
				t.Fatalf("line %d is one too many: %q", i, got.strings[0])
			}
		}
		if len(got.strings) == 2 && !json.Valid([]byte(got.strings[1])) {
			t.Fatalf("got %q", got.strings[1])
		}
	})
}
