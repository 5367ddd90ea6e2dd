package daemon

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/log/logtext"
)

// LogKeys selects the names in the JSON lines of the log, and the values that go with them.
//
//	KeysGlidepath      KeysECS                 KeysOpenTelemetry        KeysGoogleCloud
//	time               @timestamp              Timestamp (ns)           time
//	level              log.level               SeverityText, …Number    severity
//	msg                message                 Body                     message
//	logger             log.logger              InstrumentationScope     …/labels logger
//	caller             log.origin.file.*       Attributes code.*        …/sourceLocation
//	trace_id           trace.id                TraceId                  …/trace
//	span_id            span.id                 SpanId                   …/spanId
//	event              event.action            EventName                …/labels event
//	error              error.message, .type    Attributes exception.*   error
//	stack              error.stack_trace       Attributes code.stack…   stack_trace
//	severity_number    event.severity          SeverityNumber           severity
//	fields             fields                  Attributes               fields
//	                   service.name, .version  Resource service.*       serviceContext
//
// For Google Cloud, … stands for logging.googleapis.com. At error and above, a record with a
// caller is a ReportedErrorEvent, which Error Reporting lists. The name of a trace is what
// Config.TraceIDs returns: projects/PROJECT/traces/ID, or the ID alone for an agent that
// completes it.
//
// For OpenTelemetry, the names are those of its log data model. The filelog receiver of the
// collector reads them with the operator json_parser, and moves Body, Resource and
// Attributes to their places; Timestamp has layout_type epoch and layout ns.
//
// The levels are debug, info, warn, error, dpanic, panic and fatal. OpenTelemetry has them in
// upper case. Google Cloud has DEBUG, INFO, WARNING, ERROR, CRITICAL (dpanic, panic) and
// ALERT (fatal). A level of slog in between becomes the next lower one, with the number that
// OpenTelemetry gives it (INFO+2 is 11) in severity_number or event.severity; it is INFO+2
// for OpenTelemetry and NOTICE for Google Cloud.
//
// A field of the program with the name of one of the record's own gets the prefix field_.
// With KeysECS, so does a scalar where ECS has an object (host, user, event), because
// Elasticsearch would refuse the record.
type LogKeys = logtext.Keys

// The sets of names.
const (
	KeysGlidepath     = logtext.KeysGlidepath     // time, level, msg; the default
	KeysECS           = logtext.KeysECS           // Elastic Common Schema 8
	KeysOpenTelemetry = logtext.KeysOpenTelemetry // the log data model
	KeysGoogleCloud   = logtext.KeysGoogleCloud   // Cloud Logging and Error Reporting
)

// findKeys returns the names that an operator has chosen with LOG_KEYS, or the
// configuration. The error says what is wrong with LOG_KEYS.
func findKeys(c Config, env host.Env, getenv func(string) string) (LogKeys, error) {
	text := getenv("LOG_KEYS")
	if !env.Own || text == "" {
		return c.LogKeys, nil
	}
	wanted := LogKeys(strings.ToLower(text))
	if !slices.Contains(logtext.AllKeys(), wanted) {
		return c.LogKeys, fmt.Errorf("LOG_KEYS is %q: want one of %s", text, strings.Trim(fmt.Sprint(logtext.AllKeys()), "[]"))
	}
	return wanted, nil
}
