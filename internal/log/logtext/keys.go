package logtext

import (
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/daemon/logkeys"
	"github.com/go-glidepath/glidepath/internal/log/logmeta"
)

// noKeys omits everything except the fields.
const noKeys logkeys.Keys = "none"

// AllKeys returns all sets of names.
func AllKeys() []logkeys.Keys {
	return []logkeys.Keys{logkeys.Glidepath, logkeys.ECS, logkeys.OpenTelemetry, logkeys.GoogleCloud}
}

// schema describes how the sets of names differ, in addition to the functions below.
type schema struct {
	keys logkeys.Keys
	// message, kind and trace name the parts of zap.Error. If they are empty, it is a
	// normal field.
	message, kind, trace string
	event                bool   // begin writes the event
	tail                 string // closes the record
}

// schemaOf returns the schema of k, or that of logkeys.Glidepath if k is unknown.
func schemaOf(k logkeys.Keys) schema {
	switch k {
	case logkeys.ECS:
		return schema{k, "error.message", "error.type", "error.stack_trace", true, "}\n"}
	case logkeys.OpenTelemetry:
		return schema{k, "exception.message", "exception.type", "exception.stacktrace", true, "}}\n"}
	case logkeys.GoogleCloud:
		return schema{keys: k, event: true, tail: "}\n"}
	case noKeys:
		return schema{keys: k, tail: "}"}
	}
	return schema{tail: "}\n"}
}

// begin writes everything before the fields. It uses only part of the line. It calls the
// functions by name instead of through values, to keep the entry off the heap.
func (e *jsonEncoder) begin(entry *zapcore.Entry, m *logmeta.Meta) {
	switch e.keys {
	case logkeys.ECS:
		beginECS(e, entry, m)
	case logkeys.OpenTelemetry:
		beginOpenTelemetry(e, entry, m)
	case logkeys.GoogleCloud:
		beginGoogleCloud(e, entry, m)
	case noKeys:
		beginFields(e, entry, m)
	default:
		beginGlidepath(e, entry, m)
	}
}

// rename returns the name for a top-level key of the program, in two parts.
func (s *schema) rename(key string, object bool) (prefix, name string) {
	switch s.keys {
	case logkeys.ECS:
		return renameECS(key, object)
	case logkeys.OpenTelemetry:
		return renameOpenTelemetry(key, object)
	case logkeys.GoogleCloud:
		return renameGoogleCloud(key)
	case noKeys:
		return "", key
	}
	return renameGlidepath(key)
}

// stack writes the stack of the call, after the fields.
func (e *jsonEncoder) stack(entry *zapcore.Entry) {
	switch e.keys {
	case logkeys.ECS:
		if e.traced { // the stack of an error has taken the name
			e.member("log.origin.stack_trace", entry.Stack)
			return
		}
		e.member("error.stack_trace", entry.Stack)
	case logkeys.OpenTelemetry:
		e.member("code.stacktrace", entry.Stack)
	case logkeys.GoogleCloud:
		e.member("stack_trace", googleStack(entry.Message, entry.Stack))
	case noKeys:
	default:
		e.member("stack", entry.Stack)
	}
}

// resource returns the members of k that describe the service, each after a comma.
func resource(k logkeys.Keys, service, version string) string {
	if version == "(devel)" { // the program was not built from a tag
		version = ""
	}
	var e jsonEncoder
	member := func(key, value string) {
		if value != "" {
			e.comma()
			e.raw(`"` + key + `":`)
			e.bounded(value, 200)
		}
	}
	switch k {
	case logkeys.ECS:
		member("ecs.version", "8.11.0")
		member("service.name", service)
		member("service.version", version)
	case logkeys.OpenTelemetry:
		e.raw(`,"Resource":{`)
		member("service.name", service)
		member("service.version", version)
		e.raw("}")
	case logkeys.GoogleCloud:
		e.raw(`,"serviceContext":{`)
		member("service", service)
		member("version", version)
		e.raw("}")
	}
	return string(e.buf)
}

// level returns the level's name in lower case, or the name of a close level.
func level(l zapcore.Level) string {
	return min(max(l, zapcore.DebugLevel), zapcore.FatalLevel).String()
}

// traceIDs writes the IDs of a trace.
func (e *jsonEncoder) traceIDs(traceID, spanID string, t logmeta.Trace) {
	for _, id := range [2][2]string{{traceID, t.TraceID}, {spanID, t.SpanID}} {
		if id[1] != "" {
			e.raw(id[0])
			e.short(id[1])
		}
	}
}

// number writes the number of a level without a name.
func (e *jsonEncoder) number(key string, entry *zapcore.Entry, m *logmeta.Meta) {
	if number, named := m.Number(entry.Level); !named {
		e.raw(key)
		e.buf = strconv.AppendInt(e.buf, int64(number), 10)
	}
}

func beginGlidepath(e *jsonEncoder, entry *zapcore.Entry, m *logmeta.Meta) {
	e.raw(`{"level":`)
	e.text(level(entry.Level))
	if !entry.Time.IsZero() { // slog.Handler requires omitting a zero time
		e.raw(`,"time":`)
		e.time(entry.Time)
	}
	if entry.LoggerName != "" {
		e.raw(`,"logger":`)
		e.short(entry.LoggerName)
	}
	if entry.Caller.Defined {
		e.raw(`,"caller":`)
		e.short(entry.Caller.TrimmedPath())
	}
	e.raw(`,"msg":`)
	e.bounded(entry.Message, e.most/3)
	e.number(`,"`+logmeta.NumberKey+`":`, entry, m)
	e.traceIDs(`,"trace_id":`, `,"span_id":`, m.Trace)
}

// beginFields writes the trace and the level, independent of open namespaces.
func beginFields(e *jsonEncoder, entry *zapcore.Entry, m *logmeta.Meta) {
	e.raw("{")
	_ = m.Trace.MarshalLogObject(e)
	if number, named := m.Number(entry.Level); !named {
		e.AddInt64(logmeta.NumberKey, int64(number))
	}
}

func renameGlidepath(key string) (prefix, name string) {
	switch key {
	case "time", "level", "logger", "msg", "caller", "stack", "cut", logmeta.NumberKey:
		return "field_", key
	}
	return "", key
}

// beginECS follows https://www.elastic.co/docs/reference/ecs/logging/intro and the fields
// of https://www.elastic.co/docs/reference/ecs/ecs-field-reference.
func beginECS(e *jsonEncoder, entry *zapcore.Entry, m *logmeta.Meta) {
	e.raw(`{"@timestamp":`)
	e.time(known(entry.Time))
	e.raw(`,"log.level":`)
	e.text(level(entry.Level))
	e.raw(`,"message":`)
	e.bounded(entry.Message, e.most/3)
	e.raw(e.resource)
	if entry.LoggerName != "" {
		e.raw(`,"log.logger":`)
		e.short(entry.LoggerName)
	}
	if c := &entry.Caller; c.Defined {
		e.raw(`,"log.origin.file.name":`)
		e.short(file(c.TrimmedPath()))
		e.raw(`,"log.origin.file.line":`)
		e.buf = strconv.AppendInt(e.buf, int64(c.Line), 10)
		e.raw(`,"log.origin.function":`)
		e.short(c.Function)
	}
	e.traceIDs(`,"trace.id":`, `,"span.id":`, m.Trace)
	e.number(`,"event.severity":`, entry, m)
	if m.Event != 0 {
		e.raw(`,"event.action":`)
		e.text(m.Event.String())
	}
}

// renameECS renames a text or number where ECS has an object: Elasticsearch would refuse
// the whole record.
func renameECS(key string, object bool) (prefix, name string) {
	switch key {
	case "@timestamp", "message", "log", "log.level", "log.logger", "log.origin.file.name", "log.origin.file.line", "log.origin.function", "log.origin.stack_trace",
		"ecs", "ecs.version", "service.name", "service.version", "trace.id", "span.id", "event.action", "event.severity", "cut":
		return "field_", key
	case "error":
		if !object {
			return "", "error.message"
		}
	case "agent", "client", "cloud", "container", "data_stream", "destination", "device", "dll", "dns", "email", "event", "faas", "file", "group", "host",
		"http", "labels", "network", "observer", "orchestrator", "organization", "package", "process", "registry", "related", "rule", "server", "service",
		"source", "span", "threat", "tls", "trace", "transaction", "url", "user", "user_agent", "volume", "vulnerability":
		if !object {
			return "field_", key
		}
	}
	return "", key
}

// beginOpenTelemetry writes the fields of
// https://opentelemetry.io/docs/specs/otel/logs/data-model as in the examples there.
func beginOpenTelemetry(e *jsonEncoder, entry *zapcore.Entry, m *logmeta.Meta) {
	e.raw(`{"Timestamp":"`)
	e.buf = strconv.AppendInt(e.buf, known(entry.Time).UnixNano(), 10)
	e.raw(`","SeverityText":"`)
	e.raw(strings.ToUpper(level(entry.Level)))
	if by := m.Distance(entry.Level); by != 0 {
		if by > 0 {
			e.raw("+")
		}
		e.buf = strconv.AppendInt(e.buf, int64(by), 10)
	}
	e.raw(`","SeverityNumber":`)
	number, _ := m.Number(entry.Level)
	e.buf = strconv.AppendInt(e.buf, int64(number), 10)
	e.raw(`,"Body":`)
	e.bounded(entry.Message, e.most/3)
	e.traceIDs(`,"TraceId":`, `,"SpanId":`, m.Trace)
	if m.Event != 0 {
		e.raw(`,"EventName":`)
		e.text(m.Event.String())
	}
	if entry.LoggerName != "" {
		e.raw(`,"InstrumentationScope":{"Name":`)
		e.short(entry.LoggerName)
		e.raw("}")
	}
	e.raw(e.resource)
	e.raw(`,"Attributes":{`)
	if c := &entry.Caller; c.Defined {
		e.raw(`"code.file.path":`)
		e.short(c.File)
		e.raw(`,"code.line.number":`)
		e.buf = strconv.AppendInt(e.buf, int64(c.Line), 10)
		e.raw(`,"code.function.name":`)
		e.short(c.Function)
	}
}

func renameOpenTelemetry(key string, object bool) (prefix, name string) {
	switch key {
	case "code.file.path", "code.line.number", "code.function.name", "code.stacktrace", "cut":
		return "field_", key
	case "error":
		if !object {
			return "", "exception.message"
		}
	}
	return "", key
}

// beginGoogleCloud follows https://cloud.google.com/logging/docs/structured-logging and,
// from error on, https://cloud.google.com/error-reporting/docs/formatting-error-messages.
func beginGoogleCloud(e *jsonEncoder, entry *zapcore.Entry, m *logmeta.Meta) {
	number, _ := m.Number(entry.Level)
	e.raw(`{"severity":"`)
	e.raw(googleSeverity(number))
	e.raw(`","time":`)
	e.time(known(entry.Time))
	e.raw(`,"message":`)
	e.bounded(entry.Message, e.most/3)
	e.raw(e.resource)
	e.traceIDs(`,"logging.googleapis.com/trace":`, `,"logging.googleapis.com/spanId":`, m.Trace)
	if entry.LoggerName != "" || m.Event != 0 {
		e.raw(`,"logging.googleapis.com/labels":{`)
		if entry.LoggerName != "" {
			e.raw(`"logger":`)
			e.short(entry.LoggerName)
		}
		if m.Event != 0 {
			e.member("event", m.Event.String())
		}
		e.raw("}")
	}
	c := &entry.Caller
	if !c.Defined {
		return
	}
	place := func(file, line, function string) {
		e.raw(file)
		e.short(c.File)
		e.raw(line)
		e.buf = strconv.AppendInt(e.buf, int64(c.Line), 10)
		e.raw(function)
		e.short(c.Function)
	}
	place(`,"logging.googleapis.com/sourceLocation":{"file":`, `,"line":"`, `","function":`)
	e.raw("}")
	if entry.Level >= zapcore.ErrorLevel {
		e.raw(`,"@type":"type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent"`)
		place(`,"context":{"reportLocation":{"filePath":`, `,"lineNumber":`, `,"functionName":`)
		e.raw("}}")
	}
}

// googleSeverity returns Google Cloud's name for a severity number.
func googleSeverity(number int) string {
	switch {
	case number <= 8:
		return "DEBUG"
	case number <= 10:
		return "INFO"
	case number <= 12:
		return "NOTICE"
	case number <= 16:
		return "WARNING"
	case number <= 20:
		return "ERROR"
	case number <= 22:
		return "CRITICAL"
	case number == 23:
		return "ALERT"
	}
	return "EMERGENCY"
}

// googleStack returns the message followed by the stack in the format of runtime.Stack,
// which Error Reporting recognizes.
func googleStack(message, stack string) string {
	stack = clip(stack, maxValue)
	if !strings.HasPrefix(stack, "goroutine ") { // a stack in zap's format
		var b strings.Builder
		for line := range strings.Lines(stack) {
			line = strings.TrimSuffix(line, "\n")
			b.WriteString(line)
			if line != "" && line[0] != '\t' && !strings.HasSuffix(line, ")") {
				b.WriteString("(...)")
			}
			b.WriteString("\n")
		}
		stack = "goroutine 1 [running]:\n" + b.String()
	}
	return clip(message, 1<<10) + "\n\n" + stack
}

func renameGoogleCloud(key string) (prefix, name string) {
	switch key {
	case "severity", "time", "timestamp", "timestampSeconds", "timestampNanos", "message", "serviceContext", "@type", "context", "stack_trace", "cut",
		"logging.googleapis.com/trace", "logging.googleapis.com/spanId", "logging.googleapis.com/sourceLocation", "logging.googleapis.com/labels":
		return "field_", key
	}
	return "", key
}

// known returns t, or the current time if t is zero, for readers that require a time.
func known(t time.Time) time.Time {
	if t.IsZero() {
		return time.Now()
	}
	return t
}

// file returns path without a line number at its end.
func file(path string) string {
	if i := strings.LastIndexByte(path, ':'); i >= 0 {
		return path[:i]
	}
	return path
}
