package logtext

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/daemon/logkeys"
	"github.com/go-glidepath/glidepath/internal/log/logmeta"
)

// decoded decodes a line as a JSON reader does.
func decoded(t *testing.T, line string) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(line), &m); err != nil || !strings.HasSuffix(line, "}\n") {
		t.Fatalf("%v: %.200s … %s", err, line, line[max(0, len(line)-50):])
	}
	return m
}

func TestShorten_CutsAndListsWhatItCut(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	many := make([]zap.Field, 5000)
	for i := range many {
		many[i] = zap.Int(fmt.Sprint("field", i), i)
	}
	empty := make([]zap.Field, 5000)
	for i := range empty {
		empty[i] = zap.Object(fmt.Sprint("field", i), object{})
	}
	for name, c := range map[string]struct {
		with, fields []zap.Field
		cut          string // the beginning of the list
	}{
		"a text":              {fields: []zap.Field{zap.String("body", long)}, cut: "[body (100000 bytes)]"},
		"a text of With":      {with: []zap.Field{zap.String("body", long)}, cut: "[body (100000 bytes)]"},
		"a text in a group":   {with: []zap.Field{zap.Namespace("req")}, fields: []zap.Field{zap.String("body", long), zap.Int("n", 1)}, cut: "[req.body (100000 bytes)]"},
		"a text in an object": {fields: []zap.Field{zap.Object("o", object{"a": long, "b": 1})}, cut: "[o.a (100000 bytes)]"},
		"texts in an array":   {fields: []zap.Field{zap.Strings("list", []string{long, "short", long})}, cut: "[list (100000 bytes) list (100000 bytes)]"},
		"of two the longest":  {fields: []zap.Field{zap.String("a", long[:5000]), zap.String("b", long[:12000])}, cut: "[b (12000 bytes)]"},
		"what is to escape":   {fields: []zap.Field{zap.String("a", strings.Repeat("\x01é\"\\\xff", 10_000))}, cut: "[a (180000 bytes)]"},
		"binary":              {fields: []zap.Field{zap.Binary("a", []byte(long))}, cut: "[a (100000 bytes)]"},
		"reflected":           {fields: []zap.Field{zap.Any("a", map[string]any{"b": long, "c": []any{1, map[string]string{"d,}": long}}})}, cut: "[a.b (100000 bytes) a.c.d,} (100000 bytes)]"},
		"an array of numbers": {fields: []zap.Field{zap.Int("n", 1), zap.Ints("list", make([]int, 20_000)), zap.Int("m", 2)}, cut: "[list (40001 bytes)]"},
		"many fields":         {fields: many, cut: "[stack (26 bytes) after (3 bytes) field4999 (4 bytes) field4998 (4 bytes)"},
		"many objects":        {fields: empty, cut: "[stack (26 bytes) after (3 bytes) field4999 (2 bytes) field4998 (2 bytes)"},
		"a long key":          {fields: []zap.Field{zap.Int(long, 1)}, cut: "[xxxx"},
		"a level":             {fields: []zap.Field{logmeta.Level(2).Field(), zap.String("cut", long)}, cut: "[field_cut (100000 bytes)]"},
	} {
		for _, most := range []int{0, minLine, 40_000} {
			enc := newJSONEncoder(JSONOptions{MaxLine: most})
			e := entry(zap.ErrorLevel, "message")
			e.Stack = "main.serve\n\tserve.go:7"
			c := c
			fields := append(append([]zap.Field{zap.String("before", "b")}, c.fields...), zap.String("after", "a"))
			line := encoded(objects{enc}.with(c.with), e, fields...)
			bound := most
			if most == 0 {
				bound = 16 << 10
			}
			m := decoded(t, line)
			if len(line) >= bound {
				t.Errorf("%s: %d bytes", name, len(line))
			}
			if m["level"] != "error" || m["msg"] != "message" || m["time"] != "2026-01-02T15:04:05.067Z" {
				t.Errorf("%s: %.300s", name, line)
			}
			if got := fmt.Sprint(m["cut"]); most == 0 && !strings.HasPrefix(got, c.cut) {
				t.Errorf("%s: cut is %.100s", name, got)
			}
			in := m
			if group, ok := m["req"].(map[string]any); ok {
				in = group
			}
			if !strings.HasPrefix(name, "many") && (in["before"] != "b" || in["after"] != "a" || m["stack"] != e.Stack) {
				t.Errorf("%s: what is short is missing: %.300s", name, line)
			}
		}
		if line := encoded(objects{newJSONEncoder(JSONOptions{MaxLine: -1})}.with(c.with), entry(zap.InfoLevel, "m"), c.fields...); decoded(t, line)["cut"] != nil {
			t.Errorf("%s: cut without a bound: %.300s", name, line)
		}
	}
}

func TestShorten_CutTextSaysSoAndStaysUTF8(t *testing.T) {
	line := encoded(objects{newJSONEncoder(JSONOptions{})}, entry(zap.InfoLevel, "m"), zap.String("a", strings.Repeat("é", 500_000)))
	a, _ := decoded(t, line)["a"].(string)
	text, ok := strings.CutSuffix(a, "…(1000000 bytes)")
	if !ok || strings.Trim(text, "é") != "" || len(line) < 15<<10 {
		t.Errorf("got %d bytes: …%s", len(line), line[len(line)-80:])
	}
	// A text that only imitates the note is measured.
	line = encoded(objects{newJSONEncoder(JSONOptions{})}, entry(zap.InfoLevel, "m"), zap.String("a", strings.Repeat("é", 10_000)+"…(5 bytes)"))
	if a, _ = decoded(t, line)["a"].(string); !strings.HasSuffix(a, "…(20012 bytes)") {
		t.Errorf("got …%s", a[len(a)-80:])
	}
}

func TestShorten_EverythingBeforeTheFieldsFits(t *testing.T) {
	long := strings.Repeat("\x01", 100_000)
	e := zapcore.Entry{Level: -100, Message: long, LoggerName: long, Time: at, Stack: long}
	e.Caller = zapcore.NewEntryCaller(0, "/"+long+"/"+long, 1, true)
	for _, most := range []int{1, 0, 1 << 20} {
		line := encoded(objects{newJSONEncoder(JSONOptions{MaxLine: most})}, e, zap.String("a", long))
		m := decoded(t, line)
		if bound := map[int]int{0: 16 << 10, 1: minLine, 1 << 20: 1 << 20}[most]; len(line) >= bound {
			t.Errorf("%d bytes", len(line))
		}
		if msg, _ := m["msg"].(string); !strings.HasSuffix(msg, "…(100000 bytes)") || m["level"] != "debug" || m["severity_number"] != 1.0 {
			t.Errorf("got %.300s", line)
		}
	}
}

func TestJSON_UnnamedLevelHasANumber(t *testing.T) {
	for _, c := range []struct {
		level zapcore.Level
		field zap.Field
		want  string
	}{
		{zap.InfoLevel, zap.Skip(), `{"level":"info","msg":"m"}`},
		{zap.FatalLevel, zap.Skip(), `{"level":"fatal","msg":"m"}`},
		{zap.InfoLevel, logmeta.Level(2).Field(), `{"level":"info","msg":"m","severity_number":11}`},
		{-5, zap.Skip(), `{"level":"debug","msg":"m","severity_number":1}`},
		{9, zap.Int("severity_number", 2), `{"level":"fatal","msg":"m","severity_number":24,"field_severity_number":2}`},
	} {
		if got := encoded(objects{newJSONEncoder(JSONOptions{})}, zapcore.Entry{Level: c.level, Message: "m"}, c.field); got != c.want+"\n" {
			t.Errorf("got %s", got)
		}
	}
}

func FuzzShorten(f *testing.F) {
	f.Add("message", "key", "value", uint16(1))
	f.Add("a\"b\\", "k,}]{[\"", strings.Repeat("\\u0001é\x00\xff😀", 700), uint16(400))
	f.Add(strings.Repeat("m", 9000), "", "…(5 bytes)", uint16(3000))
	f.Fuzz(func(t *testing.T, msg, key, value string, n uint16) {
		n %= 5000
		e := entry(zap.InfoLevel, msg)
		e.Stack, e.LoggerName = value, key
		for _, k := range AllKeys() {
			enc := newJSONEncoder(JSONOptions{MaxLine: minLine, Keys: k, Service: key, Version: value})
			line := encoded(objects{enc}.with([]zap.Field{zap.String(key, value), zap.Namespace(key)}), e,
				zap.Ints(key, make([]int, n)), zap.Any(key, map[string]any{key: []any{value, n, nil, map[string]string{value: value}}}),
				zap.Object(key, object{"a": value, "b": object{"c": value}}), zap.Binary(key, []byte(value)), zap.Namespace("in"), zap.String(key, value))
			if m := decoded(t, line); len(line) >= minLine || k == logkeys.Glidepath && (m["level"] != "info" || m["msg"] == "" && msg != "") {
				t.Fatalf("%s: %d bytes: %s", k, len(line), line)
			}
		}
	})
}
