package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/logevent"
	"github.com/go-glidepath/glidepath/internal/log/logmeta"
	"github.com/go-glidepath/glidepath/internal/test/journaltest"
)

// encode returns the fields of a record, decoded by package trial.
func encode(t testing.TB, e zapcore.Entry, with, fields []zap.Field) []journaltest.Field {
	t.Helper()
	rs := newRecords()
	context := rs.get()
	context.restart(&record{})
	for i := range with {
		context.add(&with[i])
	}
	c := context.clone()
	rs.put(context)
	r := rs.get()
	r.begin(&e, newConstants("test"))
	r.restore(&c)
	for i := range fields {
		r.add(&fields[i])
	}
	r.finish()
	got, err := journaltest.Decode(r.buf)
	if err != nil {
		t.Fatalf("%v in\n%.2000q", err, r.buf)
	}
	if !slices.Equal(got[1:3], []journaltest.Field{field("SYSLOG_FACILITY", "3"), field("SYSLOG_IDENTIFIER", "test")}) {
		t.Fatalf("all records have others: %q", got)
	}
	got = slices.Delete(got, 1, 3)
	got[0], got[1] = got[1], got[0]
	return slices.DeleteFunc(got, func(f journaltest.Field) bool { return f.Name == Keys }) // which has a test of its own
}

// check logs fields and compares the fields in the journal, after the first two, with want.
func check(t *testing.T, fields []zap.Field, want ...journaltest.Field) {
	t.Helper()
	got := encode(t, zapcore.Entry{Message: "m"}, nil, fields)
	if !slices.Equal(got[2:], want) {
		t.Errorf("got  %.2000q\nwant %.2000q", got[2:], want)
	}
}

func field(name, value string) journaltest.Field { return journaltest.Field{Name: name, Value: value} }

func single(t *testing.T, f zap.Field) string {
	t.Helper()
	got := encode(t, zapcore.Entry{Message: "m"}, nil, []zap.Field{f})
	if len(got) != 3 {
		t.Fatalf("%d fields: %.500q", len(got), got)
	}
	return got[2].Value
}

func TestWrite_EntryBecomesFields(t *testing.T) {
	got := encode(t, zapcore.Entry{
		Level: zap.WarnLevel, Message: "two\nlines", LoggerName: "web.api", Stack: "main.main\n\tmain.go:3",
		Caller: zapcore.EntryCaller{Defined: true, File: "/src/main.go", Line: 42, Function: "main.serve"},
	}, []zap.Field{zap.Int("shard", 3)}, []zap.Field{logevent.Ready.Field(), zap.Error(fmt.Errorf("bind: %w", syscall.EADDRINUSE))})
	want := []journaltest.Field{
		field("MESSAGE", "two\nlines"),
		field("PRIORITY", "4"),
		field("LOGGER", "web.api"),
		field("CODE_FILE", "/src/main.go"),
		field("CODE_LINE", "42"),
		field("CODE_FUNC", "main.serve"),
		field("STACK", "main.main\n\tmain.go:3"),
		field("SHARD", "3"),
		field("EVENT", "ready"),
		field("ERROR", "bind: "+syscall.EADDRINUSE.Error()),
		field("MESSAGE_ID", logevent.Ready.MessageID()),
		field("ERRNO", fmt.Sprint(int(syscall.EADDRINUSE))),
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestWrite_PriorityOfEachLevel(t *testing.T) {
	for level, want := range map[zapcore.Level]string{
		-100: "7", zap.DebugLevel: "7", zap.InfoLevel: "6", zap.WarnLevel: "4", zap.ErrorLevel: "3",
		zap.DPanicLevel: "2", zap.PanicLevel: "2", zap.FatalLevel: "2", 100: "2",
	} {
		if got := encode(t, zapcore.Entry{Level: level}, nil, nil)[1]; got != field("PRIORITY", want) {
			t.Errorf("%s: %s", level, got)
		}
	}
}

func TestAppendName(t *testing.T) {
	long := strings.Repeat("abcdefgh", 9)
	for key, want := range map[string]string{
		"status": "STATUS", "requestID": "REQUESTID", "user.id": "USER_ID", "größe": "GR__E", "x y-z": "X_Y_Z", "A1_b": "A1_B",
		"": "FIELD_", "_pid": "FIELD__PID", "9lives": "FIELD_9LIVES", "日本": "FIELD___",
		"message": "FIELD_MESSAGE", "Priority": "FIELD_PRIORITY", "syslog_pid": "FIELD_SYSLOG_PID", "syslog": "SYSLOG", "code_line": "FIELD_CODE_LINE",
		"code": "CODE", "unit": "FIELD_UNIT", "units": "UNITS", "object_id": "OBJECT_ID", "object_systemd_unit": "FIELD_OBJECT_SYSTEMD_UNIT",
		"errno": "FIELD_ERRNO", "tid": "FIELD_TID", "stack": "FIELD_STACK", "logger": "FIELD_LOGGER", "coredump_exe": "FIELD_COREDUMP_EXE",
		long[:64]:       strings.ToUpper(long[:64]),
		long[:60] + "1": strings.ToUpper(long[:60]) + "1",
		"a\nMESSAGE=no": "A_MESSAGE_NO",
		"syslog_\n":     "FIELD_SYSLOG__",
		"message\x00":   "MESSAGE_",
		"invocation_id": "FIELD_INVOCATION_ID",
		"documentation": "FIELD_DOCUMENTATION",
		"object_pid":    "FIELD_OBJECT_PID",
		"user_unit":     "FIELD_USER_UNIT",
		"message_id":    "FIELD_MESSAGE_ID",
		"\xff":          "FIELD__",
		"\x80":          "FIELD_",
	} {
		if got := string(appendName([]byte("before"), nil, key)); got != "before"+want {
			t.Errorf("%q: %s, want %s", key, got[6:], want)
		}
	}
	// Cached names are the same.
	r := newRecords().get()
	for range 3 {
		for _, key := range []string{"status", "a", "b", "message", long, long + "x", long[:64], "", "status\x80", "statuS"} {
			r.buf = r.buf[:0]
			r.name(key)
			if want := appendName(nil, nil, key); string(r.buf) != string(want)+"=" {
				t.Errorf("%q: %s, want %s", key, r.buf, want)
			}
		}
	}
	a, b := string(appendName(nil, nil, long)), string(appendName(nil, nil, long+"x"))
	if len(a) != 64 || len(b) != 64 || a == b || a[:55] != b[:55] {
		t.Errorf("long names became %s and %s", a, b)
	}
}

func TestRecord_NamespacesPrecedeNames(t *testing.T) {
	check(t, []zap.Field{
		zap.Int("a", 1), zap.Namespace("http"), zap.Int("status", 200), zap.Namespace("peer"), zap.String("ip", "::1"),
		zap.Inline(zapcore.ObjectMarshalerFunc(func(enc zapcore.ObjectEncoder) error {
			enc.AddInt("port", 80)
			return nil
		})),
	}, field("A", "1"), field("HTTP_STATUS", "200"),
		field("HTTP_PEER_IP", "::1"), field("HTTP_PEER_PORT", "80"))
	check(t, []zap.Field{zap.Namespace("code"), zap.Int("line", 1)}, field("FIELD_CODE_LINE", "1"))

	got := encode(t, zapcore.Entry{}, []zap.Field{zap.Namespace("http")}, []zap.Field{zap.Int("status", 200)})
	if got[2].Name != "HTTP_STATUS" {
		t.Errorf("after With: %s", got[2])
	}
}

func TestRecord_TraceAndLevelAreInNoNamespace(t *testing.T) {
	check(
		t, []zap.Field{zap.Namespace("req"), logmeta.Trace{TraceID: "4bf9", SpanID: "00f0"}.Field(), logmeta.Level(2).Field(), zap.Int("id", 1)},
		field("TRACE_ID", "4bf9"), field("SPAN_ID", "00f0"), field("SEVERITY_NUMBER", "11"), field("REQ_ID", "1"),
	)
}

func TestRecord_Values(t *testing.T) {
	utc := time.Date(2026, 11, 25, 2, 3, 4, 5, time.UTC)
	for want, f := range map[string]zap.Field{
		"true":                           zap.Bool("k", true),
		"-128":                           zap.Int8("k", -128),
		"-32768":                         zap.Int16("k", -32768),
		"-7":                             zap.Int32("k", -7),
		"18446744073709551615":           zap.Uint64("k", 1<<64-1),
		"4294967295":                     zap.Uint32("k", 1<<32-1),
		"255":                            zap.Uint8("k", 255),
		"12":                             zap.Uintptr("k", 12),
		"0.1":                            zap.Float32("k", 0.1),
		"1e+21":                          zap.Float64("k", 1e21),
		"(1+2i)":                         zap.Complex64("k", 1+2i),
		"1.5s":                           zap.Duration("k", 1500*time.Millisecond),
		"2026-11-25T02:03:04.000000005Z": zap.Time("k", utc),
		"0001-01-01T00:00:00Z":           zap.Time("k", time.Time{}),
		"a\x00\nb\xff":                   zap.Binary("k", []byte("a\x00\nb\xff")),
		`a\x00` + "\nb" + `\xff`:         zap.ByteString("k", []byte("a\x00\nb\xff")),
		`{"n":1,"d":"1s"}`: zap.Object("k", zapcore.ObjectMarshalerFunc(func(enc zapcore.ObjectEncoder) error {
			enc.AddInt("n", 1)
			enc.AddDuration("d", time.Second)
			return nil
		})),
		`["1s","2s"]`:         zap.Durations("k", []time.Duration{time.Second, 2 * time.Second}),
		`{"A":"<&>","B":[1]}`: zap.Any("k", struct{ A, B any }{"<&>", []int{1}}),
		"null":                zap.Any("k", nil),
		"":                    zap.String("k", ""),
		"chan int: json: unsupported type: chan int": zap.Any("k", make(chan int)),
		"PANIC=unknown field type: {k 99 0  <nil>}":  {Key: "k", Type: 99},
	} {
		if got := single(t, f); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

type faulty struct{ with any }

func (f *faulty) String() string                             { panic(f.with) }
func (f *faulty) Error() string                              { panic(f.with) }
func (f *faulty) MarshalJSON() ([]byte, error)               { panic(f.with) }
func (f *faulty) MarshalLogArray(zapcore.ArrayEncoder) error { panic(f.with) }
func (f *faulty) MarshalLogObject(e zapcore.ObjectEncoder) error {
	e.AddString("begun", "a\nb")
	e.OpenNamespace("deeper")
	panic(f.with)
}

func TestRecord_ReplacesPanics(t *testing.T) {
	bad := &faulty{"bug\nMESSAGE=no"}
	var none *faulty
	for name, f := range map[string]func(*faulty) zap.Field{
		"Stringer": func(f *faulty) zap.Field { return zap.Stringer("k", f) },
		"Error":    func(f *faulty) zap.Field { return zap.NamedError("k", f) },
		"Object":   func(f *faulty) zap.Field { return zap.Object("k", f) },
		"Array":    func(f *faulty) zap.Field { return zap.Array("k", f) },
		"Inline":   func(f *faulty) zap.Field { i := zap.Inline(f); i.Key = "k"; return i },
		"Reflect":  func(f *faulty) zap.Field { return zap.Reflect("k", f) },
	} {
		after := zap.Int("after", 1)
		want := field("K", "PANIC=bug\nMESSAGE=no")
		check(t, []zap.Field{f(bad), after}, want, field("AFTER", "1"))
		got := encode(t, zapcore.Entry{}, nil, []zap.Field{f(none), after})
		nothing := "<nil>"
		if name == "Reflect" {
			nothing = "null"
		}
		if len(got) != 4 || got[2].Value != nothing {
			t.Errorf("%s of nil: %q", name, got)
		}
	}
	if got := single(t, zap.Stringer("k", &faulty{&faulty{"twice"}})); !strings.HasPrefix(got, "PANIC=") {
		t.Errorf("got %q", got)
	}
}

func TestRecord_VerboseErrorsAndErrno(t *testing.T) {
	check(t, []zap.Field{zap.Error(errors.Join(errors.New("a"), syscall.ENOENT)), zap.NamedError("b", syscall.EPIPE)},
		field("ERROR", "a\n"+syscall.ENOENT.Error()), field("B", syscall.EPIPE.Error()),
		field("ERRNO", fmt.Sprint(int(syscall.ENOENT))))
	check(t, []zap.Field{zap.Error(rich{})},
		field("ERROR", "short"), field("ERROR_VERBOSE", "the\nlong story"))
	failing := zapcore.ObjectMarshalerFunc(func(enc zapcore.ObjectEncoder) error {
		enc.AddInt("n", 1)
		return errors.New("no more")
	})
	check(t, []zap.Field{zap.Object("o", failing)}, journaltest.Field{Name: "O", Value: `{"n":1}`}, field("O_ERROR", "no more"))
}

type rich struct{}

func (rich) Error() string { return "short" }
func (rich) Format(s fmt.State, verb rune) {
	if s.Flag('+') {
		fmt.Fprint(s, "the\nlong story")
	}
}

type node struct {
	Name  string
	Next  *node          `json:",omitempty"`
	Map   map[string]any `json:",omitempty"`
	Slice []any          `json:",omitempty"`
	Up    *node          `json:"-"`
	Twins []*node        `json:",omitempty"`
}

// MarshalLogObject does not end if the nodes form a cycle.
func (n *node) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	enc.AddString("name", n.Name)
	if n.Next == nil {
		return nil
	}
	if err := enc.AddArray("array", nodes{n.Next}); err != nil {
		return err
	}
	return enc.AddObject("next", n.Next)
}

type nodes []*node

func (ns nodes) MarshalLogArray(enc zapcore.ArrayEncoder) error {
	for _, n := range ns {
		if err := enc.AppendObject(n); err != nil {
			return err
		}
	}
	return nil
}

func TestRecord_EndsCycles(t *testing.T) {
	pointers := &node{Name: "p"}
	pointers.Next = pointers
	maps := &node{Name: "m", Map: map[string]any{}}
	maps.Map["self"] = maps.Map
	slices := &node{Name: "s", Slice: make([]any, 1)}
	slices.Slice[0] = slices.Slice
	chain := &node{Name: "end"}
	for range 1_000_000 {
		chain = &node{Next: chain}
	}
	fork := &node{Name: "leaf"}
	for range 40 {
		fork = &node{Twins: []*node{fork, fork}}
	}
	for name, v := range map[string]any{"pointers": pointers, "maps": maps, "slices": slices, "chain": chain, "fork": fork} {
		got := single(t, zap.Reflect("k", v))
		if !strings.HasPrefix(got, "*journal.node: it ") {
			t.Errorf("%s: %.200q", name, got)
		}
	}
	for name, f := range map[string]zap.Field{
		"object":            zap.Object("k", pointers),
		"array":             zap.Array("k", nodes{pointers}),
		"chain of objects":  zap.Object("k", chain),
		"reflected, within": zap.Array("k", zapcore.ArrayMarshalerFunc(func(enc zapcore.ArrayEncoder) error { return enc.AppendReflected(maps) })),
	} {
		got := single(t, f)
		if !json.Valid([]byte(got)) || !strings.Contains(got, "*journal.node: it ") {
			t.Errorf("%s: %.200q", name, got)
		}
	}
	// A value that only looks like a cycle is shown.
	child := &node{Name: "c"}
	child.Up = &node{Next: child}
	if got := single(t, zap.Reflect("k", child)); got != `{"Name":"c"}` {
		t.Errorf("got %q", got)
	}
}

func TestRecord_ExcessFieldsBecomeText(t *testing.T) {
	var fields []zap.Field
	for i := range 1500 {
		fields = append(fields, zap.Int(fmt.Sprintf("f%d", i), i))
	}
	fields = append(fields, zap.String("text", "two\nlines"), zap.Binary("blob", []byte("\n")), logevent.Ready.Field())
	for _, with := range []int{0, 100, 899, 900, 1000} {
		got := encode(t, zapcore.Entry{Message: "m"}, fields[:with], fields[with:])
		if n := len(got); n > 1000 {
			t.Errorf("%d fields: journald drops more than 1024", n)
		}
		more := got[len(got)-2]
		if more.Name != "MORE_FIELDS" || got[len(got)-1].Name != "MESSAGE_ID" {
			t.Fatalf("the last are %.200q", got[len(got)-2:])
		}
		lines := strings.Split(more.Value, "\n")
		if got[2+898] != field("F898", "898") || lines[0] != "F899=899" || !slices.Contains(lines, `TEXT=two\nlines`) ||
			!slices.Contains(lines, "BLOB=Cg==") || lines[len(lines)-2] != "EVENT=ready" || len(lines) != 605 {
			t.Errorf("after With of %d: %q … %q, %d lines", with, lines[:2], lines[len(lines)-4:], len(lines))
		}
	}
	if got := encode(t, zapcore.Entry{}, nil, fields[:500]); len(got) != 502 {
		t.Errorf("of 500 fields there are %d", len(got)-2)
	}
}

func TestRecord_CutsOnlyWhatJournaldWouldDrop(t *testing.T) {
	megabyte := strings.Repeat("x\n", 1<<19)
	if got := single(t, zap.String("k", megabyte)); got != megabyte {
		t.Errorf("%d bytes, want %d", len(got), len(megabyte))
	}
	huge := strings.Repeat("\x00ä", 12<<20)
	got := encode(t, zapcore.Entry{Message: huge}, nil, []zap.Field{
		zap.String("text", huge), zap.Binary("blob", []byte(huge)), zap.Int("n", 1),
	})
	size := 0
	for _, f := range got {
		size += len(f.Name) + len(f.Value)
	}
	if size > maxRecord+2000 || !strings.HasSuffix(got[0].Value, " bytes more)") || got[4].Value != fmt.Sprintf("(%d bytes)", len(huge)) || got[5].Value != "1" {
		t.Errorf("%d bytes, %.200q", size, got[2:])
	}
	if got[2].Name != "FULL_MESSAGE" || !strings.HasPrefix(got[3].Value, `\x00ä`) {
		t.Errorf("nothing is left of the text: %q", got[3].Value)
	}
}

func TestPlain(t *testing.T) {
	for before := range 10 {
		for n := range 20 {
			b := append([]byte(strings.Repeat("\n", before)), strings.Repeat("~", n)...)
			if !plain(b, n) {
				t.Errorf("%q is not plain", b[before:])
			}
			for i := range n {
				for c := range 256 {
					b[before+i] = byte(c)
					if got, want := plain(b, n), c >= ' ' && c <= '~'; got != want {
						t.Fatalf("%q is plain: %t", b[before:], got)
					}
				}
				b[before+i] = ' '
			}
		}
	}
}

func TestWith_EncodedFieldsDoNotChange(t *testing.T) {
	rs := newRecords()
	r := rs.get()
	r.restart(&record{})
	f := zap.Int("a", 1)
	r.add(&f)
	c := r.clone()
	for i := range r.buf {
		r.buf[i] = '!'
	}
	if string(c.buf) != "A=1\n" {
		t.Errorf("%q", c.buf)
	}
}

func same(got []journaltest.Field, want []journaltest.Field) bool {
	count := make(map[journaltest.Field]int)
	for _, f := range got {
		count[f]++
	}
	for _, f := range want {
		count[f]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}

func TestRecord_RandomRecords(t *testing.T) {
	for seed := range uint64(4_000) {
		r := journaltest.New(seed)
		if got := encode(t, zapcore.Entry{Level: r.Level, Message: r.Message}, nil, r.Fields); !same(got, r.Want) {
			t.Fatalf("seed %d\ngot  %.3000q\nwant %.3000q", seed, got, r.Want)
		}
		half := len(r.Fields) / 2
		if got := encode(t, zapcore.Entry{Level: r.Level, Message: r.Message}, r.Fields[:half], r.Fields[half:]); !same(got, r.Want) {
			t.Fatalf("seed %d, with With\ngot  %.3000q\nwant %.3000q", seed, got, r.Want)
		}
	}
}

func FuzzRecord(f *testing.F) {
	for _, s := range []string{"", "a", "\n", "a\nMESSAGE=no\n", "A\n\x01\x00\x00\x00\x00\x00\x00\x00x\n", "\xff\x80\xc3", "message", strings.Repeat("k", 70), "\u0085\uFFFE\U0001FFFF"} {
		f.Add(s, s, []byte(s), uint64(len(s)))
	}
	f.Fuzz(func(t *testing.T, key, text string, blob []byte, seed uint64) {
		for _, r := range []journaltest.Record{journaltest.Of(key, text, blob), journaltest.New(seed)} {
			if got := encode(t, zapcore.Entry{Level: r.Level, Message: r.Message}, nil, r.Fields); !same(got, r.Want) {
				t.Fatalf("got  %.3000q\nwant %.3000q", got, r.Want)
			}
		}
	})
}

// The test above compares with what trial decodes; this one compares the bytes.
func TestRecord_BytesFollowTheProtocol(t *testing.T) {
	rs := newRecords()
	r := rs.get()
	r.begin(&zapcore.Entry{Message: "served"}, newConstants("we\nb"))
	r.restore(&record{})
	for _, f := range []zap.Field{zap.Int("status", 200), zap.String("body", "a\nb")} {
		r.add(&f)
	}
	r.finish()
	want := "PRIORITY=6\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER\n\x04\x00\x00\x00\x00\x00\x00\x00we\nb\nMESSAGE=served\nSTATUS=200\nBODY\n\x03\x00\x00\x00\x00\x00\x00\x00a\nb\n"
	if string(r.buf) != want {
		t.Errorf("got %q", r.buf)
	}
	if reflect.TypeFor[record]().NumField() != 9 {
		t.Error("a field of record is new: does restart reset it?")
	}
}
