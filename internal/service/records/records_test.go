package records

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/daemon/logkeys"
	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/log/logtext"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// logged returns records with values of all kinds that package logtext writes.
func logged() []Record {
	at := time.Date(2026, 11, 27, 10, 0, 0, 0, time.UTC)
	record := func(l zapcore.Level, message string, fields ...zapcore.Field) Record {
		return Record{Entry: zapcore.Entry{Time: at, Level: l, Message: message}, Fields: fields}
	}
	return []Record{
		record(zap.InfoLevel, "nothing else"),
		record(zap.WarnLevel, "served", zap.Int("status", 200), zap.Bool("tls", true), zap.Float64("load", 0.5), zap.Duration("took", time.Second)),
		record(zap.ErrorLevel, "", zap.String("only", "fields")),
		record(zap.InfoLevel, "a=1 is said, and b = 2", zap.String("empty", ""), zap.String("quoted", `a "b" c\d`), zap.String("number", "12"), zap.String("odd key=", "x")),
		record(zap.InfoLevel, "x", zap.Strings("list", []string{"a", "b c", "d,e", `[f]`}), zap.Ints("numbers", []int{1, 2})),
		record(zap.InfoLevel, "x", zap.Object("object", object(`{"A":1,"B":"x y"}`)), zap.Array("nested", array(`[1,["a",{"k":"v w","l":[]}]]`))),
		record(zap.ErrorLevel, "two\nlines", zap.Error(errors.New("one\ntwo")), zap.Int("n", 1)),
		record(zap.DebugLevel, "größe …(", zap.String("größe", "日本"), zap.String("esc", "\x1b[31m\u202e")),
		record(zap.InfoLevel, "long", zap.String("a", strings.Repeat("x", 60<<10)), zap.Int("b", 1)),
	}
}

// text returns what a View shows of records.
func text(t *testing.T, q manage.LogQuery, all ...Record) string {
	t.Helper()
	var b strings.Builder
	v := NewView(q, &b)
	for _, r := range all {
		if err := v.Add(r); err != nil {
			t.Error(err)
		}
	}
	if err := v.Flush(); err != nil {
		t.Error(err)
	}
	return b.String()
}

func TestAddText_RoundTrip(t *testing.T) {
	for _, r := range logged() {
		logtext.NewText().Encode(r.Entry, r.Fields, func(lines []byte) {
			back := Record{Entry: zapcore.Entry{Time: r.Time, Level: r.Level}}
			back.AddText(strings.Split(strings.TrimSuffix(string(lines), "\n"), "\n"))
			if got, want := text(t, manage.LogQuery{}, back), text(t, manage.LogQuery{}, r); got != want {
				t.Errorf("got\n%.300s\nwant\n%.300s", got, want)
			}
		})
	}
}

func TestFromJSON_RoundTrip(t *testing.T) {
	for _, keys := range logtext.AllKeys() {
		enc := logtext.JSONEncoder(logtext.JSONOptions{Keys: keys, Service: "web", Version: "v1", MaxLine: -1})
		for _, r := range logged() {
			b, err := enc.EncodeEntry(r.Entry, r.Fields)
			if err != nil {
				t.Fatal(err)
			}
			back, ok := FromJSON(b.Bytes())
			got, want := text(t, manage.LogQuery{LogOptions: service.LogOptions{JSON: true}}, back), text(t, manage.LogQuery{LogOptions: service.LogOptions{JSON: true}}, r)
			if keys == logkeys.Glidepath && (!ok || got != want) {
				t.Errorf("%t, got\n%.300s\nwant\n%.300s", ok, got, want)
			}
			if !ok || !back.Time.Equal(r.Time) || back.Level != r.Level || back.Message != r.Message {
				t.Errorf("%s: %s became %t %v %s %q", keys, b, ok, back.Time, back.Level, back.Message)
			}
		}
	}
	for _, line := range []string{"", "{", "{}", "[]", `{"a":1}`, `{"level":"info"} x`, `{"level":"info"`, `{"level":1,"msg":"x"}`, "panic: {}"} {
		if r, ok := FromJSON([]byte(line)); ok {
			t.Errorf("%s is the record %+v", line, r)
		}
	}
}

func TestAddList_RoundTrip(t *testing.T) {
	for _, r := range logged() {
		object, err := logtext.FieldsEncoder().EncodeEntry(r.Entry, r.Fields)
		if err != nil {
			t.Fatal(err)
		}
		logtext.NewList().Encode(r.Entry, r.Fields, func(lines []byte) {
			back := Record{Entry: zapcore.Entry{Time: r.Time, Level: r.Level}}
			ok := back.AddList(strings.TrimSuffix(string(lines), "\n"), object.String())
			if got, want := text(t, manage.LogQuery{LogOptions: service.LogOptions{JSON: true}}, back), text(t, manage.LogQuery{LogOptions: service.LogOptions{JSON: true}}, r); !ok || got != want {
				t.Errorf("%t, got\n%.300s\nwant\n%.300s", ok, got, want)
			}
		})
	}
	var r Record
	if r.AddList("m\n    a: 1", "no object") || r.Message != "" {
		t.Errorf("got %+v", r)
	}
}

func TestSplit_KeepsInMessageWhatIsNotField(t *testing.T) {
	for line, want := range map[string]string{
		"a b=1 c":               "a b=1 c|",
		"a b=1 c=2":             "a|b=1 c=2",
		"a b= c=2":              "a b=|c=2",
		`a b="x`:                `a b="x|`,
		`a b="x"y c=1`:          `a b="x"y|c=1`,
		"a =1":                  "a =1|",
		"a b=[1 c=2":            "a|b=[1 c=2",
		"a b=[1, c=2":           "a|b=[1, c=2",
		`a b={"x":1,"y":["z"]}`: `a|b={"x":1,"y":["z"]}`,
		"a b=[]":                "a|b=[]",
		"a b={x=1 y=[z]}":       "a|b={\"x\":1,\"y\":[\"z\"]}",
		"b=1":                   "b=1|",
		" b=1":                  "|b=1",
		"a  b=1":                "a |b=1",
		"a b=\\x":               "a b=\\x|",
		"a b=x…(70000 bytes)":   "a|b=x…(70000 bytes)",
		"a b=x…(many bytes) c":  "a b=x…(many bytes) c|",
	} {
		message, fields := Split(line)
		got := message + "|"
		for i, f := range fields {
			enc := zapcore.NewMapObjectEncoder()
			f.AddTo(enc)
			if i > 0 {
				got += " "
			}
			got += f.Key + "=" + fmt.Sprint(enc.Fields[f.Key])
		}
		want = strings.ReplaceAll(want, `{"x":1,"y":["z"]}`, "map[x:1 y:[z]]")
		if got != want {
			t.Errorf("%q is %q, want %q", line, got, want)
		}
	}
}

func TestView_BoundsLastRecords(t *testing.T) {
	var b strings.Builder
	v := NewView(manage.LogQuery{LogOptions: service.LogOptions{Lines: 2000}}, &b)
	r := Record{Fields: []zapcore.Field{zap.String("x", strings.Repeat("x", 60<<10))}}
	for i := range 1500 {
		r.Message = fmt.Sprint(i)
		if err := v.Add(r); err != nil {
			t.Fatal(err)
		}
		if v.bytes > MaxKept {
			t.Fatalf("%d bytes are kept", v.bytes)
		}
	}
	err := v.Flush()
	if err == nil || err.Error() != "the last 2000 records have more than 64 MiB: the oldest of them are not shown; 0 shows all" {
		t.Errorf("got %v", err)
	}
	if n := strings.Count(b.String(), "\n"); b.Len() < MaxKept-(64<<10) || n < 1000 || !strings.Contains(b.String(), "INFO  1499 x=") || strings.Contains(b.String(), "INFO  1 x=") {
		t.Errorf("%d records, %d bytes", n, b.Len())
	}
}

func TestView_KeepsOrderOfLastRecords(t *testing.T) {
	var all []Record
	for i := range 7 {
		all = append(all, Record{Entry: zapcore.Entry{Message: fmt.Sprint(i)}})
	}
	for n, want := range map[int]string{1: "6", 3: "456", 7: "0123456", 9: "0123456", 0: "0123456"} {
		if got := strings.ReplaceAll(strings.ReplaceAll(text(t, manage.LogQuery{LogOptions: service.LogOptions{Lines: n}}, all...), "- INFO  ", ""), "\n", ""); got != want {
			t.Errorf("the last %d are %s", n, got)
		}
	}
}

func FuzzAddText(f *testing.F) {
	for _, line := range []string{"a b=1", `a b="x" c=[1, {d=e}]`, "a\n    b:\n        c", "[{=\"", "…("} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		var r, list Record
		r.AddText(strings.Split(line, "\n"))
		list.AddList(line, "")
		text(t, manage.LogQuery{}, r, list)
		text(t, manage.LogQuery{LogOptions: service.LogOptions{JSON: true}}, r, list)
		if r, ok := FromJSON([]byte(line)); ok {
			text(t, manage.LogQuery{}, r)
		}
	})
}
