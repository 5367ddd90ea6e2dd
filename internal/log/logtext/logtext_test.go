package logtext

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"

	"go.uber.org/zap"
	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/logevent"
	"github.com/go-glidepath/glidepath/internal/log/logmeta"
)

// TestMain sets the time zone that the tests expect on a terminal.
func TestMain(m *testing.M) {
	time.Local = time.UTC
	os.Exit(m.Run())
}

var at = time.Date(2026, 1, 2, 15, 4, 5, 67_000_000, time.UTC)

func entry(level zapcore.Level, msg string) zapcore.Entry {
	return zapcore.Entry{Level: level, Time: at, Message: msg}
}

// encoded returns a record in the form f.
func encoded(f form, e zapcore.Entry, fields ...zap.Field) string {
	var b []byte
	f.encode(e, fields, func(p []byte) { b = append(b, p...) })
	return string(b)
}

type failing struct{}

func (failing) Error() string { return "no\nroute" }

type object map[string]any

func (o object) MarshalLogObject(e zapcore.ObjectEncoder) error {
	for _, k := range []string{"a", "b", "c"} {
		switch v := o[k].(type) {
		case string:
			e.AddString(k, v)
		case int:
			e.AddInt(k, v)
		case object:
			if err := e.AddObject(k, v); err != nil {
				return err
			}
		case error:
			return v
		case []int:
			zap.Ints(k, v).AddTo(e)
		}
	}
	return nil
}

type panicking struct{}

func (panicking) MarshalLogObject(e zapcore.ObjectEncoder) error {
	e.AddString("half", "done")
	panic("no")
}
func (panicking) MarshalLogArray(zapcore.ArrayEncoder) error { panic(panicking{}) }
func (panicking) String() string                             { panic("no") }
func (panicking) MarshalJSON() ([]byte, error)               { panic("no") }

type around struct{ around *around }

func (a *around) MarshalLogObject(e zapcore.ObjectEncoder) error { return e.AddObject("again", a) }

func TestTerminal_Format(t *testing.T) {
	plain := newLines(terminal(false))
	for _, c := range []struct {
		level  zapcore.Level
		msg    string
		fields []zap.Field
		want   string
	}{
		{zap.InfoLevel, "hello", nil, "15:04:05.067  INFO   hello\n"},
		{zap.DebugLevel, "hello", nil, "15:04:05.067  DEBUG  hello\n"},
		{zap.WarnLevel, "hello", nil, "15:04:05.067  WARN   hello\n"},
		{zap.DPanicLevel, "hello", nil, "15:04:05.067  PANIC  hello\n"},
		{zap.FatalLevel, "hello", nil, "15:04:05.067  FATAL  hello\n"},
		{
			zap.InfoLevel, "listening",
			[]zap.Field{zap.String("addr", ":8080"), zap.Bool("tls", true)},
			"15:04:05.067  INFO   listening                            addr=:8080 tls=true\n",
		},
		{
			zap.ErrorLevel, strings.Repeat("long ", 10),
			[]zap.Field{zap.Error(errors.New("no route"))},
			"15:04:05.067  ERROR  " + strings.Repeat("long ", 10) + ` error="no route"` + "\n",
		},
		{zap.InfoLevel, "ready", []zap.Field{logevent.Ready.Field()}, "15:04:05.067  INFO   ready\n"},
		{zap.InfoLevel, "two\r\nlines\r\n", nil, "15:04:05.067  INFO   two\n    lines\n"},
		{
			zap.InfoLevel, "x",
			[]zap.Field{zap.String("text", "one\n\ttwo\r\nthree\n"), zap.Int("n", 1)},
			"15:04:05.067  INFO   x                                    n=1\n    text:\n        one\n            two\n        three\n",
		},
		{zap.InfoLevel, "äöü", []zap.Field{zap.Int("n", 1)}, "15:04:05.067  INFO   äöü                                  n=1\n"},
	} {
		if got := encoded(plain, entry(c.level, c.msg), c.fields...); got != c.want {
			t.Errorf("got\n%swant\n%s", got, c.want)
		}
	}
}

func TestTerminal_TimeIsLocal(t *testing.T) {
	defer func() { time.Local = time.UTC }()
	time.Local = time.FixedZone("east", 2*60*60)
	for _, coloured := range []bool{false, true} {
		for want, e := range map[string]zapcore.Entry{
			"17:04:05.067  INFO   m\n":     entry(zap.InfoLevel, "m"),
			"17:04:05.067  INFO   west\n":  {Time: at.In(time.FixedZone("west", -8*60*60)), Message: "west"},
			"              INFO   never\n": {Message: "never"},
			"02:00:00.000  INFO   begun\n": {Time: time.Unix(0, 0).UTC(), Message: "begun"},
		} {
			if got := sequence.ReplaceAllString(encoded(newLines(terminal(coloured)), e), ""); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
	}
}

func TestTerminal_NarrowLinesAreNotAligned(t *testing.T) {
	fields := []zap.Field{zap.String("k", strings.Repeat("x", 60)), zap.Error(io.EOF)}
	for _, coloured := range []bool{false, true} {
		for columns, want := range map[int]string{
			0:   "m" + strings.Repeat(" ", 36) + "k=",
			132: "m" + strings.Repeat(" ", 36) + "k=",
			130: "m" + strings.Repeat(" ", 36) + "k=",
			129: "m k=",
			80:  "m k=",
		} {
			s := terminal(coloured)
			s.columns = func() int { return columns }
			got := sequence.ReplaceAllString(encoded(newLines(s), entry(zap.InfoLevel, "m"), fields...), "")
			if !strings.Contains(got, "INFO   "+want) {
				t.Errorf("%d columns: got %q", columns, got)
			}
			if line := strings.TrimSuffix(got, "\n"); columns == 130 && len(line) != columns {
				t.Errorf("the line has %d", len(line))
			}
		}
	}
}

func TestTerminal_UnnamedLevels(t *testing.T) {
	for want, e := range map[string]struct {
		level zapcore.Level
		field zap.Field
	}{
		"INFO+2 m":  {zap.InfoLevel, logmeta.Level(2).Field()},
		"DEBUG-4 m": {zap.DebugLevel, logmeta.Level(-8).Field()},
		"ERROR+4 m": {zap.ErrorLevel, logmeta.Level(12).Field()},
		"DEBUG-2 m": {-3, zap.Skip()},
		"FATAL+4 m": {9, zap.Skip()},
		"INFO   m":  {zap.InfoLevel, zap.Skip()},
	} {
		for _, coloured := range []bool{false, true} {
			got := sequence.ReplaceAllString(encoded(newLines(terminal(coloured)), entry(e.level, "m"), e.field), "")
			if got != "15:04:05.067  "+want+"\n" {
				t.Errorf("got %q", got)
			}
		}
	}
	grouped := newLines(style{}).with([]zap.Field{zap.Namespace("group")})
	if got := encoded(grouped, entry(zap.InfoLevel, "m"), logmeta.Level(2).Field(), zap.Int("n", 1)); got != "m severity_number=11 group.n=1\n" {
		t.Errorf("got %q", got)
	}
}

func TestNewList_OneFieldPerLine(t *testing.T) {
	list := NewList().With([]zap.Field{zap.Int("pid", 7)})
	var got string
	e := entry(zap.InfoLevel, "two\nlines\n    pid: 8")
	e.LoggerName, e.Stack, e.Caller = "web", "main.serve\n\tserver.go:1", zapcore.EntryCaller{Defined: true, File: "/src/web/server.go", Line: 12}
	list.Encode(e, []zap.Field{
		zap.String("file", `C:\Program Files\a=b, "c"`), zap.String("escaped", "a\x1b"), zap.String("empty", ""), zap.String("spaces", " a "),
		zap.String("quoted", `"a"`), zap.String("a: b", "c"), zap.String("text", "x\ny"), zap.Strings("list", []string{"a", "b c"}),
		zap.Object("o", object{"a": "1 2", "b": object{"c": 3}}), zap.Namespace("n"), zap.Bool("ok", true),
	}, func(lines []byte) { got = string(lines) })
	want := `web: two
        lines
            pid: 8
    pid: 7
    file: C:\Program Files\a=b, "c"
    escaped: "a\x1b"
    empty: ""
    spaces: " a "
    quoted: "\"a\""
    "a: b": c
    list: [a, "b c"]
    o.a: 1 2
    o.b.c: 3
    n.ok: true
    caller: web/server.go:12
    text:
        x
        y
    stack:
        main.serve
            server.go:1
`
	if got != want {
		t.Errorf("got\n%s", got)
	}
	list.Encode(entry(zap.InfoLevel, "one"), nil, func(lines []byte) { got = string(lines) })
	if got != "one\n    pid: 7\n" {
		t.Errorf("got %q", got)
	}
}

func TestText_Values(t *testing.T) {
	for _, c := range []struct {
		field zap.Field
		want  string
	}{
		{zap.String("k", ""), `k=""`},
		{zap.String("k", "a b"), `k="a b"`},
		{zap.String("k", `a"b\`), `k="a\"b\\"`},
		{zap.String("k", "a=b"), `k="a=b"`},
		{zap.String("k", "one line\n"), `k="one line\n"`},
		{zap.String("k", "ünï"), `k=ünï`},
		{zap.String("a b", "v"), `"a b"=v`},
		{zap.String("", "v"), `""=v`},
		{zap.String("k\nx", "v"), `"k\nx"=v`},
		{zap.String("k", "\x1b[31m\x00\x7f\u202e\u0085\xff"), `k="\x1b[31m\x00\x7f\u202e\u0085\xff"`},
		{zap.String("k", "\U0001F600"), "k=\U0001F600"},
		{zap.ByteString("k", []byte("a b")), `k="a b"`},
		{zap.Binary("k", []byte{0, 1, 2}), "k=AAEC"},
		{zap.Int64("k", math.MinInt64), "k=-9223372036854775808"},
		{zap.Uint64("k", math.MaxUint64), "k=18446744073709551615"},
		{zap.Float64("k", 1.5), "k=1.5"},
		{zap.Float64("k", math.NaN()), "k=NaN"},
		{zap.Float32("k", 0.1), "k=0.1"},
		{zap.Complex128("k", 1+2i), "k=1+2i"},
		{zap.Complex64("k", 1-2i), "k=1-2i"},
		{zap.Duration("k", 1500*time.Millisecond), "k=1.5s"},
		{zap.Time("k", at), "k=2026-01-02T15:04:05.067Z"},
		{zap.Ints("k", []int{1, 2}), "k=[1, 2]"},
		{zap.Ints("k", nil), "k=[]"},
		{zap.Strings("k", []string{"a", "b, c", "", "]"}), `k=[a, "b, c", "", "]"]`},
		{zap.Strings("k", []string{"a\nb"}), `k=["a\nb"]`},
		{zap.Complex128s("k", []complex128{1i, 2}), "k=[0+1i, 2+0i]"},
		{zap.Durations("k", []time.Duration{0, time.Second}), "k=[0s, 1s]"},
		{zap.Object("k", object{"a": "x y", "b": 2}), `k.a="x y" k.b=2`},
		{zap.Object("k", object{}), `k={}`},
		{zap.Object("k", object{"a": object{"b": 1, "c": []int{1, 2}}}), `k.a.b=1 k.a.c=[1, 2]`},
		{zap.Objects("k", []object{{"a": 1, "b": object{"c": "x}y"}}, {}}), `k=[{a=1 b={c="x}y"}}, {}]`},
		{zap.Object("k", object{"a": 1, "b": errors.New("no more")}), `k.a=1 kError="no more"`},
		{zap.Inline(object{"a": 1}), `a=1`},
		{zap.Reflect("k", map[string]any{"a": "<x>\x1b\u202e"}), `k={"a":"<x>\u001b\u202e"}`},
		{zap.Reflect("k", nil), "k=null"},
		{zap.Any("k", []any{1, "a"}), `k=[1,"a"]`},
		{zap.Stringer("k", zap.InfoLevel), "k=info"},
		{zap.Skip(), ""},
	} {
		got := encoded(newLines(style{}), entry(zap.InfoLevel, "m"), c.field)
		want := strings.TrimRight("m "+c.want, " ") + "\n"
		if got != want {
			t.Errorf("got  %swant %s", got, want)
		}
	}
}

func TestWith_EncodesFieldsAndNamespaces(t *testing.T) {
	for name, f := range map[string]form{"text": newLines(style{}), "JSON": objects{newJSONEncoder(JSONOptions{})}} {
		value := object{"a": 1}
		one := f.with([]zap.Field{zap.Object("o", value), zap.Namespace("n")})
		two := one.with([]zap.Field{zap.String("t", "x\ny"), zap.Int("b", 2)})
		value["a"] = 2
		want := map[string][]string{
			"text": {"m o.a=1 n.c=3\n", "m o.a=1 n.b=2 n.c=3\n    n.t:\n        x\n        y\n"},
			"JSON": {`"o":{"a":1},"n":{"c":3}}` + "\n", `"o":{"a":1},"n":{"t":"x\ny","b":2,"c":3}}` + "\n"},
		}[name]
		for i, f := range []form{one, two, one} { // the first is not affected by the second
			if got := encoded(f, entry(zap.InfoLevel, "m"), zap.Int("c", 3)); !strings.HasSuffix(got, want[i%2]) {
				t.Errorf("%s: got %s", name, got)
			}
		}
	}
}

func TestJSON_RenamesFieldsWithTheRecordsKeys(t *testing.T) {
	f := form(objects{newJSONEncoder(JSONOptions{})}).with([]zap.Field{zap.String("level", "a"), zap.String("x", "b")})
	got := encoded(f, entry(zap.InfoLevel, "m"), zap.String("msg", "c"), zap.Int("time", 1), zap.Namespace("in"), zap.String("msg", "d"))
	want := `{"level":"info","time":"2026-01-02T15:04:05.067Z","msg":"m","field_level":"a","x":"b","field_msg":"c","field_time":1,"in":{"msg":"d"}}` + "\n"
	if got != want {
		t.Errorf("got  %swant %s", got, want)
	}
	f = form(objects{newJSONEncoder(JSONOptions{})}).with([]zap.Field{zap.Namespace("caller")}).with([]zap.Field{zap.Int("stack", 1)})
	got = encoded(f, entry(zap.InfoLevel, "m"), zap.Int("logger", 2))
	if want := `"msg":"m","field_caller":{"stack":1,"logger":2}}` + "\n"; !strings.HasSuffix(got, want) {
		t.Errorf("got  %swant %s", got, want)
	}
	fields := []zap.Field{zap.String("msg", "c")}
	encoded(objects{newJSONEncoder(JSONOptions{})}, entry(zap.InfoLevel, "m"), fields...)
	if fields[0].Key != "msg" {
		t.Error("the fields of the caller are changed")
	}
}

// late adds keys when it is encoded.
type late struct{ in string }

func (l late) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	if l.in != "" {
		enc.OpenNamespace(l.in)
	}
	for _, key := range []string{"level", "time", "msg"} {
		enc.AddString(key, "forged")
	}
	return nil
}

func TestJSON_RenamesKeysAddedWhileEncoding(t *testing.T) {
	const head = `{"level":"info","time":"2026-01-02T15:04:05.067Z","msg":"m"`
	const renamed = `,"field_level":"forged","field_time":"forged","field_msg":"forged"`
	const inside = `"level":"forged","time":"forged","msg":"forged"`
	for _, c := range []struct {
		fields []zap.Field
		want   string
	}{
		{[]zap.Field{zap.Inline(late{})}, renamed + "}"},
		{[]zap.Field{zap.Inline(zapcore.ObjectMarshalerFunc(func(enc zapcore.ObjectEncoder) error { return late{}.MarshalLogObject(enc) }))}, renamed + "}"},
		{[]zap.Field{zap.Inline(late{"in"}), zap.Int("stack", 1)}, `,"in":{` + inside + `,"stack":1}}`},
		{[]zap.Field{zap.Inline(late{"msg"}), zap.Int("stack", 1)}, `,"field_msg":{` + inside + `,"stack":1}}`},
		{[]zap.Field{zap.Object("msg", late{}), zap.Int("stack", 1)}, `,"field_msg":{` + inside + `},"field_stack":1}`},
		{[]zap.Field{zap.Object("o", late{"in"}), zap.Int("stack", 1)}, `,"o":{"in":{` + inside + `}},"field_stack":1}`},
		{[]zap.Field{zap.Objects("list", []late{{}}), zap.Dict("d", zap.Int("msg", 1)), zap.Int("a", 1), zap.Int("a", 2)}, `,"list":[{` + inside + `}],"d":{"msg":1},"a":1,"a":2}`},
	} {
		f := form(objects{newJSONEncoder(JSONOptions{})})
		if got := encoded(f, entry(zap.InfoLevel, "m"), c.fields...); got != head+c.want+"\n" {
			t.Errorf("got  %swant %s", got, head+c.want)
		}
		if got := encoded(f.with(c.fields), entry(zap.InfoLevel, "m")); got != head+c.want+"\n" {
			t.Errorf("with: got  %swant %s", got, head+c.want)
		}
	}
}

func TestJSON_EqualsZaps(t *testing.T) {
	e := entry(zap.ErrorLevel, "a\n\"b\"\x01\xff\u2028")
	e.LoggerName, e.Stack = "web", "main.serve\n\tserve.go:7"
	e.Caller = zapcore.NewEntryCaller(0, "/x/web/serve.go", 7, true)
	inf := math.Inf(1)
	fields := []zap.Field{
		zap.String("k\n", "v\x7f\t"), zap.ByteString("b", []byte("\xc3\x28é")), zap.Binary("bin", []byte{1, 2}), zap.Bool("t", true),
		zap.Int8("i", -1), zap.Uint64("u", math.MaxUint64), zap.Uintptr("p", 7), zap.Float64s("f", []float64{0.1, 1e21, inf, -inf, math.NaN()}),
		zap.Float32("f32", 0.1), zap.Complex64("c", 1-2i), zap.Complex128s("cs", []complex128{1i, complex(0, -1)}), zap.Duration("d", time.Second),
		zap.Durations("ds", []time.Duration{0, 1}), zap.Times("at", []time.Time{at}), zap.Time("far", time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)),
		zap.Error(failing{}), zap.Errors("es", []error{failing{}, io.EOF}), zap.Object("o", object{"a": "b", "b": object{"c": []int{1, 2}}}),
		zap.Object("fails", object{"a": 1, "b": io.EOF}), zap.Objects("os", []object{{}, {"a": 1}}), zap.Strings("none", nil), zap.Bools("bs", []bool{true, false}),
		zap.Reflect("r", map[string]any{"<a>": []int{1}}), zap.Reflect("nil", nil), zap.Any("nested", [][]int{{1}, {}}), zap.Stringer("s", zap.InfoLevel),
		zap.ByteStrings("bytes", [][]byte{nil, []byte("x")}), zap.Ints("ints", []int{1}), zap.Uint8s("u8", []uint8{1}), zap.Stringers("ss", []zapcore.Level{0}),
		zap.Dict("d2", zap.Int("a", 1), zap.Namespace("in"), zap.Int("b", 2)), zap.Skip(), zap.Namespace("n"), zap.Int("last", 1),
	}
	for with := range len(fields) {
		var got [2]string
		for i, enc := range []zapcore.Encoder{JSONEncoder(JSONOptions{}), zapJSON()} {
			b, err := Encode(With(With(enc, fields[:with/2]), fields[with/2:with]), e, fields[with:])
			if err != nil {
				t.Fatal(err)
			}
			got[i] = b.String()
		}
		if got[0] != got[1] {
			t.Fatalf("got  %swant %s", got[0], got[1])
		}
	}
}

func TestTerminal_OmitsTheCaller(t *testing.T) {
	e := entry(zap.InfoLevel, "m")
	e.Caller = zapcore.NewEntryCaller(0, "/x/web/serve.go", 7, true)
	if got := encoded(newLines(terminal(false)), e); strings.Contains(got, "serve.go") {
		t.Errorf("got %q", got)
	}
}

func TestText_NameCallerAndStack(t *testing.T) {
	e := entry(zap.ErrorLevel, "m")
	e.LoggerName = "web.\x1bhttp"
	e.Caller = zapcore.NewEntryCaller(0, "/x/web/serve.go", 7, true)
	e.Stack = "main.serve\n\t/x/web/serve.go:7"
	got := encoded(newLines(style{}), e, zap.Error(failing{}))
	want := "web.\\x1bhttp: m caller=web/serve.go:7\n    error:\n        no\n        route\n    stack:\n        main.serve\n            /x/web/serve.go:7\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

var sequence = regexp.MustCompile("\x1b\\[[0-9;]*m")

func TestTerminal_ColoursChangeNothingElse(t *testing.T) {
	fields := []zap.Field{zap.Error(errors.New("no route")), zap.String("t", "a\nb"), zap.Object("o", object{"a": 1}), zap.Strings("s", []string{"x"})}
	for _, l := range []zapcore.Level{zap.DebugLevel, zap.InfoLevel, zap.WarnLevel, zap.ErrorLevel, zap.FatalLevel} {
		colour := encoded(newLines(terminal(true)), entry(l, "m"), fields...)
		if plain := encoded(newLines(terminal(false)), entry(l, "m"), fields...); sequence.ReplaceAllString(colour, "") != plain {
			t.Errorf("got\n%qwant\n%q", colour, plain)
		}
		if begun, ended := strings.Count(colour, "\x1b["), strings.Count(colour, "\x1b[0m"); begun != 2*ended || ended != 6 {
			t.Errorf("%d sequences, %d times off: %q", begun, ended, colour)
		}
	}
}

func TestJSON_OneObjectPerLine(t *testing.T) {
	got := encoded(objects{newJSONEncoder(JSONOptions{})}, entry(zap.WarnLevel, "a\nb"), zap.String("k\n", "v\x00\xff\u2028"), zap.Error(failing{}), logevent.Ready.Field())
	if strings.Count(got, "\n") != 1 || !strings.HasSuffix(got, "}\n") {
		t.Fatalf("got %q", got)
	}
	var m map[string]any
	if err := json.Unmarshal([]byte(got), &m); err != nil {
		t.Fatal(err)
	}
	for k, want := range map[string]any{
		"time": "2026-01-02T15:04:05.067Z", "level": "warn", "msg": "a\nb", "k\n": "v\x00\uFFFD\u2028", "error": "no\nroute", "event": "ready",
	} {
		if m[k] != want {
			t.Errorf("%q is %q", k, m[k])
		}
	}
}

func TestPrefixed_EachLineHasAPrefix(t *testing.T) {
	f := newLines(prefixed())
	for level, prefix := range map[zapcore.Level]string{
		zap.DebugLevel: "<7>", zap.InfoLevel: "<6>", zap.WarnLevel: "<4>", zap.ErrorLevel: "<3>",
		zap.DPanicLevel: "<2>", zap.PanicLevel: "<2>", zap.FatalLevel: "<2>", zap.DebugLevel - 1: "<7>",
	} {
		want := prefix + "m k=1\n" + prefix + "    t:\n" + prefix + "        a\n" + prefix + "        <0>b\n"
		if got := encoded(f, entry(level, "m"), zap.Int("k", 1), zap.String("t", "a\n<0>b")); got != want {
			t.Errorf("%v: got\n%s", level, got)
		}
	}
	long := strings.Repeat("é", 40<<10)
	got := encoded(f, entry(zap.InfoLevel, long+"x"), zap.String("k", "v"))
	var whole string
	for i, line := range strings.Split(strings.TrimSuffix(got, "\n"), "\n") {
		if len(line) >= 48<<10 || !strings.HasPrefix(line, "<6>") || i > 0 && !strings.HasPrefix(line, "<6>    ") {
			t.Fatalf("line %d has %d bytes: %.20q", i, len(line), line)
		}
		whole += strings.TrimPrefix(strings.TrimPrefix(line, "<6>"), "    ")
	}
	if want := clip(long, maxValue) + "… k=v"; whole != want {
		t.Errorf("%d bytes arrive of %d: …%s", len(whole), len(want), whole[len(whole)-20:])
	}
}

func TestEncode_ReplacesPanics(t *testing.T) {
	cycle := map[string]any{}
	cycle["x"] = cycle
	for name, f := range map[string]form{"text": newLines(terminal(true)), "prefixed": newLines(prefixed()), "JSON": objects{newJSONEncoder(JSONOptions{})}} {
		for _, field := range []zap.Field{
			zap.Object("bad", panicking{}), zap.Array("bad", panicking{}), zap.Stringer("bad", panicking{}),
			zap.Reflect("bad", panicking{}), zap.Reflect("bad", cycle), zap.Reflect("bad", make(chan int)),
		} {
			for _, with := range []bool{true, false} {
				g, fields := f, []zap.Field{zap.Int("before", 1), field, zap.Int("after", 2)}
				if with {
					g, fields = f.with(fields), nil
				}
				got := encoded(g, entry(zap.InfoLevel, "message"), fields...)
				for _, want := range []string{"message", "before", "bad", "after"} {
					if !strings.Contains(got, want) {
						t.Errorf("%s, with=%v: %q is missing in %s", name, with, want, got)
					}
				}
				if strings.Contains(got, "half") {
					t.Errorf("%s: half of it is there: %s", name, got)
				}
			}
		}
	}
}

// node makes values that are very deep or refer to themselves.
type node struct{ Left, Right *node }

func (n *node) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	_ = enc.AddObject("left", n.Left)
	_ = enc.AddObject("right", n.Right)
	return nil
}

func TestBounded_EndsCycles(t *testing.T) {
	a, chain, fork, circle := &around{}, &node{}, &node{}, &node{}
	for range 1_000_000 {
		chain = &node{Left: chain}
	}
	for range 40 {
		fork = &node{fork, fork}
	}
	circle.Left, circle.Right = circle, circle
	for name, f := range map[string]form{"text": newLines(style{}), "JSON": objects{newJSONEncoder(JSONOptions{MaxLine: -1})}} {
		for what, field := range map[string]zap.Field{
			"objects": zap.Object("a", a), "arrays of objects": zap.Objects("a", []*around{a}), "objects inline": zap.Inline(a), "objects that fork": zap.Object("a", circle),
			"a long way":  zap.Reflect("a", chain),
			"a fork":      zap.Reflect("a", fork),
			"a circle":    zap.Any("a", circle),
			"in an array": zap.Array("a", zapcore.ArrayMarshalerFunc(func(enc zapcore.ArrayEncoder) error { return enc.AppendReflected(chain) })),
		} {
			for _, with := range []bool{false, true} {
				g, fields := f, []zap.Field{zap.Int("before", 1), field, zap.Int("after", 2)}
				if with {
					g, fields = f.with(fields), nil
				}
				got := encoded(g, entry(zap.InfoLevel, "m"), fields...)
				if !strings.Contains(got, "{…}") && !strings.Contains(got, "node: it ") && !strings.Contains(got, "around: it ") || !strings.Contains(got, "after") || len(got) > 16<<20 {
					t.Errorf("%s, %s, with=%v: got %d bytes: %.200s", name, what, with, len(got), got)
				}
			}
		}
	}
}

func TestBounded_CutsEndlessNamespaces(t *testing.T) {
	f := newLines(style{})
	for range 1000 {
		f = f.with([]zap.Field{zap.Namespace(strings.Repeat("n", 1000))})
	}
	if got := encoded(f, entry(zap.InfoLevel, "m"), zap.Int("a", 1), zap.Int("b", 2)); len(got) > 3*maxValue || !strings.Contains(got, ".a=1 ") {
		t.Errorf("got %d bytes", len(got))
	}
}

// sometimes panics the first and the third time.
type sometimes struct{ n int }

func (s *sometimes) MarshalLogObject(zapcore.ObjectEncoder) error {
	if s.n++; s.n%2 == 1 {
		panic(s.n)
	}
	return nil
}

func TestEncode_ReplacesOccasionalPanics(t *testing.T) {
	for _, with := range []bool{false, true} {
		for want, enc := range map[string]zapcore.Encoder{"PANIC=1": JSONEncoder(JSONOptions{}), "PANIC": zapJSON()} {
			fields := []zap.Field{
				zap.Int("before", 1), zap.Object("bad", &sometimes{}), zap.Time("at", time.Unix(2, 0).UTC()), zap.Complex128("complex", 1), zap.Binary("bytes", nil),
			}
			if with {
				enc, fields = With(enc, fields), nil
			}
			b, err := Encode(enc, zapcore.Entry{Message: "m", Time: time.Unix(1, 0).UTC()}, fields)
			want = `{"level":"info","time":"1970-01-01T00:00:01Z","msg":"m","before":1,"bad":"` + want + `","at":"1970-01-01T00:00:02Z","complex":"1+0i","bytes":""}` + "\n"
			if err != nil || b.String() != want {
				t.Errorf("with=%v: got %s, %v", with, b.String(), err)
			}
		}
	}
}

// zapJSON returns zap's own encoder with our names.
func zapJSON() zapcore.Encoder {
	return zapcore.NewJSONEncoder(zapcore.EncoderConfig{
		TimeKey: "time", LevelKey: "level", NameKey: "logger", MessageKey: "msg", CallerKey: "caller", StacktraceKey: "stack",
		EncodeLevel:    zapcore.LowercaseLevelEncoder,
		EncodeTime:     zapcore.RFC3339NanoTimeEncoder,
		EncodeDuration: zapcore.StringDurationEncoder,
		EncodeCaller:   zapcore.ShortCallerEncoder,
	})
}

// broken always panics.
type broken struct{ zapcore.Encoder }

func (b broken) Clone() zapcore.Encoder { return b }

func (broken) EncodeEntry(zapcore.Entry, []zapcore.Field) (*buffer.Buffer, error) { panic("broken") }

func TestEncode_PanickingEncoderIsAnError(t *testing.T) {
	if b, err := Encode(broken{JSONEncoder(JSONOptions{})}, zapcore.Entry{}, nil); b != nil || err == nil {
		t.Errorf("got %v, %v", b, err)
	}
}

func TestText_CutsLongValues(t *testing.T) {
	long := strings.Repeat("é", 1<<19)
	for _, field := range []zap.Field{
		zap.String("k", long), zap.String("k", long+"\n"+long), zap.Strings("k", []string{long}), zap.Reflect("k", long),
		zap.ByteString("k", []byte(long)), zap.Binary("k", []byte(long)), zap.String("k", strings.Repeat("\xbf", 1<<20)),
	} {
		got := encoded(newLines(style{}), entry(zap.InfoLevel, "m"), field)
		if len(got) > 5*maxValue || !regexp.MustCompile(`(?s)^m .*…\(\d{7} bytes\)`).MatchString(strings.ReplaceAll(got, "\n", " ")) {
			t.Errorf("got %d bytes: %.20q … %.20q", len(got), got, got[len(got)-20:])
		}
		if !strings.Contains(got, "�") && strings.ToValidUTF8(got, "�") != got {
			t.Error("it is cut within a character")
		}
	}
	many := make([]zap.Field, 500)
	for i := range many {
		many[i] = zap.Int(fmt.Sprintf("field%d", i), i)
	}
	if got := encoded(newLines(style{}), entry(zap.InfoLevel, "m"), many...); !strings.HasSuffix(got, " field499=499\n") {
		t.Errorf("of 500 fields the last is missing: …%s", got[len(got)-20:])
	}
}

func FuzzText(f *testing.F) {
	f.Add("message", "key", "value", "name")
	f.Add("a\r\n\x1b[2J<0>x", "k\n ", "\u202e\x00\xff\n\t\u2028\u0085", "\x07")
	f.Add("<3>", "", "\xc3\n\xa9", "\n")
	f.Fuzz(func(t *testing.T, msg, key, value, name string) {
		e := entry(zap.InfoLevel, msg)
		e.LoggerName, e.Stack = name, value
		fields := []zap.Field{
			zap.String(key, value), zap.Strings(key, []string{value}), zap.Object(key, object{"a": value}), zap.Reflect(key, value),
			zap.Namespace(key), zap.ByteString(key, []byte(value)), zap.Objects(key, []object{{"a": value, "b": object{"c": value}}}),
		}
		for name, form := range map[string]form{"terminal": newLines(terminal(false)), "prefixed": newLines(prefixed())} {
			got := encoded(form, e, fields...)
			for i, line := range strings.Split(strings.TrimSuffix(got, "\n"), "\n") {
				for _, r := range line {
					if !unicode.IsGraphic(r) {
						t.Fatalf("%s: %q is in %q", name, r, line)
					}
				}
				if strings.ToValidUTF8(line, "") != line {
					t.Fatalf("%s: not UTF-8: %q", name, line)
				}
				body, ok := strings.CutPrefix(line, "<6>")
				if name == "terminal" {
					body, ok = line, i > 0 || strings.HasPrefix(line, "15:04:05.067  INFO   ")
				}
				if !ok || i > 0 && !strings.HasPrefix(body, indent) {
					t.Fatalf("%s: a line is %q", name, line)
				}
			}
		}
		most := len(fields) - 1 // not counting the namespace
		if e.Stack != "" {
			most++
		}
		got := encoded(NewList().lines, e, fields...)
		for i, line := range strings.Split(strings.TrimSuffix(got, "\n"), "\n") {
			for _, r := range line {
				if !unicode.IsGraphic(r) {
					t.Fatalf("%q is in %q", r, line)
				}
			}
			if i > 0 && !strings.HasPrefix(line, indent+" ") {
				most--
			}
			if i > 0 && !strings.HasPrefix(line, indent) || most < 0 {
				t.Fatalf("line %d is one too many: %q", i, got)
			}
		}
		var m map[string]any
		if got := encoded(objects{newJSONEncoder(JSONOptions{})}, e, fields...); strings.Count(got, "\n") != 1 || json.Unmarshal([]byte(got), &m) != nil {
			t.Fatalf("got %q", got)
		}
	})
}

func TestSyncError(t *testing.T) {
	real := errors.New("disk full")
	nothing := &fs.PathError{Op: "sync", Path: "/dev/stdout", Err: syscall.EINVAL}
	for _, c := range []struct{ err, want error }{
		{nil, nil},
		{nothing, nil},
		{fmt.Errorf("x: %w", syscall.ENOTTY), nil},
		{syscall.EBADF, nil},
		{syscall.ENOTSUP, nil},
		{errors.ErrUnsupported, nil},
		{real, real},
		{errors.Join(nothing, real), real},
		{errors.Join(nothing, nothing), nil},
	} {
		if got := SyncError(c.err); !errors.Is(got, c.want) || (got == nil) != (c.want == nil) {
			t.Errorf("%v: got %v", c.err, got)
		}
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = null.Close() }()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = r.Close(), w.Close() }()
	if err := SyncError(zap.New(zapcore.NewTee(
		zapcore.NewCore(JSONEncoder(JSONOptions{}), null, zap.InfoLevel), zapcore.NewCore(JSONEncoder(JSONOptions{}), w, zap.InfoLevel))).Sync()); err != nil {
		t.Errorf("of a null device and a pipe: %v", err)
	}
}

func TestLook_File(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = null.Close() }()
	for _, f := range []*os.File{f, null} {
		if terminal, colour := Look(f, os.Getenv); terminal || colour {
			t.Errorf("%s: %t, %t", f.Name(), terminal, colour)
		}
	}
}
