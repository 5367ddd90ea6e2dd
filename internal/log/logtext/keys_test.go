package logtext

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/daemon/logkeys"
	"github.com/go-glidepath/glidepath/internal/log/logevent"
	"github.com/go-glidepath/glidepath/internal/log/logmeta"
)

// verbose implements an error with a long description.
type verbose struct{ error }

func (v verbose) Format(s fmt.State, c rune) {
	if s.Flag('+') {
		_, _ = fmt.Fprint(s, v.Error(), "\nmain.cause\n\tcause.go:1")
		return
	}
	_, _ = fmt.Fprint(s, v.Error())
}

func named(k logkeys.Keys, most int) *jsonEncoder {
	return newJSONEncoder(JSONOptions{Keys: k, Service: "web", Version: "1.2", MaxLine: most})
}

func TestJSON_NamesOfEachStandard(t *testing.T) {
	e := entry(zap.ErrorLevel, "request failed")
	e.LoggerName, e.Stack = "http", "main.serve\n\t/x/web/serve.go:7"
	e.Caller = zapcore.EntryCaller{Defined: true, File: "/x/web/serve.go", Line: 7, Function: "main.serve"}
	with := []zap.Field{logmeta.Trace{TraceID: "4bf9", SpanID: "00f0"}.Field(), zap.Namespace("req")}
	for k, want := range map[logkeys.Keys]string{
		"": `{"level":"error","time":"2026-01-02T15:04:05.067Z","logger":"http","caller":"web/serve.go:7","msg":"request failed","trace_id":"4bf9","span_id":"00f0",` +
			`"req":{"id":1},"stack":"main.serve\n\t/x/web/serve.go:7"}`,
		logkeys.ECS: `{"@timestamp":"2026-01-02T15:04:05.067Z","log.level":"error","message":"request failed","ecs.version":"8.11.0","service.name":"web","service.version":"1.2",` +
			`"log.logger":"http","log.origin.file.name":"web/serve.go","log.origin.file.line":7,"log.origin.function":"main.serve","trace.id":"4bf9","span.id":"00f0",` +
			`"req":{"id":1},"error.stack_trace":"main.serve\n\t/x/web/serve.go:7"}`,
		logkeys.OpenTelemetry: `{"Timestamp":"1767366245067000000","SeverityText":"ERROR","SeverityNumber":17,"Body":"request failed","TraceId":"4bf9","SpanId":"00f0",` +
			`"InstrumentationScope":{"Name":"http"},"Resource":{"service.name":"web","service.version":"1.2"},` +
			`"Attributes":{"code.file.path":"/x/web/serve.go","code.line.number":7,"code.function.name":"main.serve","req":{"id":1},"code.stacktrace":"main.serve\n\t/x/web/serve.go:7"}}`,
		logkeys.GoogleCloud: `{"severity":"ERROR","time":"2026-01-02T15:04:05.067Z","message":"request failed","serviceContext":{"service":"web","version":"1.2"},` +
			`"logging.googleapis.com/trace":"4bf9","logging.googleapis.com/spanId":"00f0","logging.googleapis.com/labels":{"logger":"http"},` +
			`"logging.googleapis.com/sourceLocation":{"file":"/x/web/serve.go","line":"7","function":"main.serve"},` +
			`"@type":"type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent",` +
			`"context":{"reportLocation":{"filePath":"/x/web/serve.go","lineNumber":7,"functionName":"main.serve"}},` +
			`"req":{"id":1},"stack_trace":"request failed\n\ngoroutine 1 [running]:\nmain.serve(...)\n\t/x/web/serve.go:7\n"}`,
	} {
		if got := encoded(objects{named(k, 0)}.with(with), e, zap.Int("id", 1)); got != want+"\n" {
			t.Errorf("%s:\ngot  %swant %s", k, got, want)
		}
	}
}

func TestJSON_ErrorsAndEventsFollowTheStandards(t *testing.T) {
	failure := &fs.PathError{Op: "open", Path: "/x", Err: fs.ErrNotExist}
	const text = `open /x: file does not exist`
	for k, want := range map[logkeys.Keys][2]string{
		"":                    {`"event":"ready","error":"` + text + `"}`, `"error":"a","errorVerbose":"a\nmain.cause\n\tcause.go:1","stack":"s"}`},
		logkeys.ECS:           {`"event.action":"ready","error.message":"` + text + `","error.type":"*fs.PathError"}`, `"error.message":"a","error.type":"logtext.verbose","error.stack_trace":"a\nmain.cause\n\tcause.go:1","log.origin.stack_trace":"s"}`},
		logkeys.OpenTelemetry: {`"EventName":"ready","Resource":{"service.name":"web","service.version":"1.2"},"Attributes":{"exception.message":"` + text + `","exception.type":"*fs.PathError"}}`, `"exception.stacktrace":"a\nmain.cause\n\tcause.go:1","code.stacktrace":"s"}}`},
		logkeys.GoogleCloud:   {`"logging.googleapis.com/labels":{"event":"ready"},"error":"` + text + `"}`, `"stack_trace":"m\n\ngoroutine 1 [running]:\ns(...)\n"}`},
	} {
		f := objects{named(k, 0)}
		if got := encoded(f, entry(zap.InfoLevel, "m"), logevent.Ready.Field(), zap.Error(failure)); !strings.HasSuffix(got, want[0]+"\n") {
			t.Errorf("%s: got %s", k, got)
		}
		e := entry(zap.ErrorLevel, "m")
		e.Stack = "s"
		for _, with := range []bool{false, true} {
			fields, g := []zap.Field{zap.Error(verbose{errors.New("a")})}, form(f)
			if with {
				g, fields = f.with(fields), nil
			}
			if got := encoded(g, e, fields...); !strings.HasSuffix(got, want[1]+"\n") {
				t.Errorf("%s: got %s", k, got)
			}
		}
		if got := encoded(f, e, zap.Stringer("error", panicking{}), zap.Error(panics{})); strings.Count(got, "PANIC=no") != 2 {
			t.Errorf("%s: got %s", k, got)
		}
	}
}

type panics struct{}

func (panics) Error() string { panic("no") }

func TestJSON_FieldsDoNotReplaceStandardNames(t *testing.T) {
	for k, c := range map[logkeys.Keys]map[string]string{
		logkeys.ECS: {
			"message": `"field_message":1`, "@timestamp": `"field_@timestamp":1`, "log.level": `"field_log.level":1`, "error": `"error.message":1`,
			"event": `"field_event":1`, "host": `"field_host":1`, "user": `"field_user":1`, "level": `"level":1`, "http.version": `"http.version":1`,
		},
		logkeys.OpenTelemetry: {"error": `"exception.message":1`, "Body": `"Body":1`, "code.line.number": `"field_code.line.number":1`, "event": `"event":1`},
		logkeys.GoogleCloud:   {"severity": `"field_severity":1`, "error": `"error":1`, "time": `"field_time":1`, "httpRequest": `"httpRequest":1`, "context": `"field_context":1`},
	} {
		for key, want := range c {
			f := objects{named(k, 0)}
			for _, field := range []zap.Field{zap.Int(key, 1), zap.Inline(zapcore.ObjectMarshalerFunc(func(enc zapcore.ObjectEncoder) error {
				enc.AddInt(key, 1)
				return nil
			}))} {
				got := encoded(f, entry(zap.InfoLevel, "m"), field)
				if !strings.Contains(got, want) {
					t.Errorf("%s, %s: got %s", k, key, got)
				}
				decoded(t, got)
			}
		}
	}
	// An object is allowed where ECS has one.
	got := encoded(objects{named(logkeys.ECS, 0)}, entry(zap.InfoLevel, "m"), zap.Dict("host", zap.String("name", "a")), zap.Any("user", map[string]string{"id": "b"}), zap.Strings("file", nil))
	if !strings.HasSuffix(got, `,"host":{"name":"a"},"user":{"id":"b"},"field_file":[]}`+"\n") {
		t.Errorf("got %s", got)
	}
}

func TestJSON_LevelsFollowTheStandards(t *testing.T) {
	for _, c := range []struct {
		level                   zapcore.Level
		field                   zap.Field
		ecs, telemetry, googles string
	}{
		{zap.DebugLevel, zap.Skip(), `"log.level":"debug"`, `"SeverityText":"DEBUG","SeverityNumber":5`, `"severity":"DEBUG"`},
		{zap.InfoLevel, zap.Skip(), `"log.level":"info"`, `"SeverityText":"INFO","SeverityNumber":9`, `"severity":"INFO"`},
		{zap.InfoLevel, logmeta.Level(2).Field(), `"event.severity":11`, `"SeverityText":"INFO+2","SeverityNumber":11`, `"severity":"NOTICE"`},
		{zap.WarnLevel, zap.Skip(), `"log.level":"warn"`, `"SeverityText":"WARN","SeverityNumber":13`, `"severity":"WARNING"`},
		{zap.ErrorLevel, zap.Skip(), `"log.level":"error"`, `"SeverityText":"ERROR","SeverityNumber":17`, `"severity":"ERROR"`},
		{zap.DPanicLevel, zap.Skip(), `"log.level":"dpanic"`, `"SeverityText":"DPANIC","SeverityNumber":21`, `"severity":"CRITICAL"`},
		{zap.FatalLevel, zap.Skip(), `"log.level":"fatal"`, `"SeverityText":"FATAL","SeverityNumber":23`, `"severity":"ALERT"`},
		{-4, zap.Skip(), `"event.severity":2`, `"SeverityText":"DEBUG-3","SeverityNumber":2`, `"severity":"DEBUG"`},
		{9, zap.Skip(), `"log.level":"fatal"`, `"SeverityText":"FATAL+4","SeverityNumber":24`, `"severity":"EMERGENCY"`},
	} {
		for k, want := range map[logkeys.Keys]string{logkeys.ECS: c.ecs, logkeys.OpenTelemetry: c.telemetry, logkeys.GoogleCloud: c.googles} {
			if got := encoded(objects{named(k, 0)}, entry(c.level, "m"), c.field); !strings.Contains(got, want) {
				t.Errorf("%s: got %s, want %s", k, got, want)
			}
		}
	}
}

func TestJSON_EachStandardHasATimeAndFits(t *testing.T) {
	long := strings.Repeat("\x01", 100_000)
	for _, k := range AllKeys() {
		for _, most := range []int{0, minLine} {
			enc := newJSONEncoder(JSONOptions{Keys: k, Service: long, Version: long, MaxLine: most})
			e := zapcore.Entry{Level: zap.ErrorLevel, Message: long, LoggerName: long, Stack: long}
			e.Caller = zapcore.EntryCaller{Defined: true, File: long, Function: long, Line: 1}
			before := time.Now()
			for _, fields := range [][]zap.Field{{zap.String("a", long)}, {zap.Ints("list", make([]int, 50_000)), zap.String("a", long)}, nil} {
				line := encoded(objects{enc}.with([]zap.Field{logmeta.Trace{TraceID: long, SpanID: long}.Field(), zap.Namespace("n")}), e, append(fields, logevent.Ready.Field())...)
				m := decoded(t, line)
				if attributes, ok := m["Attributes"].(map[string]any); ok {
					m["cut"] = attributes["cut"]
				}
				if bound := map[int]int{0: 16 << 10, minLine: minLine}[most]; len(line) >= bound || m["cut"] == nil {
					t.Errorf("%s: %d bytes, cut is %v", k, len(line), m["cut"])
				}
				at, _ := m[map[logkeys.Keys]string{logkeys.ECS: "@timestamp", logkeys.GoogleCloud: "time"}[k]].(string)
				if when, err := time.Parse(time.RFC3339Nano, at); (k == logkeys.ECS || k == logkeys.GoogleCloud) && (err != nil || when.Before(before) || time.Since(when) < 0) {
					t.Errorf("%s: the time is %q", k, at)
				}
			}
		}
	}
}
