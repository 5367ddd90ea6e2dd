// Package logkeys names the fields of JSON log records after the standards of log
// collectors. The field LogKeys of daemon.Config selects one; operators override it with the
// environment variable LOG_KEYS.
package logkeys

// Keys is a set of names for the fields of JSON log lines, with the form of the values.
//
//	Glidepath          ECS                     OpenTelemetry            GoogleCloud
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
// The … of Google Cloud stands for logging.googleapis.com. Records at level error or above
// that have a caller are ReportedErrorEvents, which Error Reporting lists. Google Cloud
// expects the trace as Config.TraceIDs returns it: projects/PROJECT/traces/ID, or the ID
// alone for an agent that completes it.
//
// OpenTelemetry is the log data model. The collector's filelog receiver reads the lines with
// the operator json_parser, and moves Body, Resource and Attributes to where they belong;
// Timestamp has layout_type epoch and layout ns.
//
// The levels are debug, info, warn, error, dpanic, panic and fatal. OpenTelemetry writes them
// in upper case. Google Cloud writes DEBUG, INFO, WARNING, ERROR, CRITICAL (dpanic, panic) and
// ALERT (fatal). A slog level between two of these is logged as the lower one, and
// severity_number or event.severity holds the number that OpenTelemetry assigns to it: INFO+2
// is 11. OpenTelemetry writes it as INFO+2, Google Cloud as NOTICE.
//
// A program's field whose name the record uses itself is prefixed with field_. So is, with
// ECS, a scalar whose name is an object in ECS (host, user, event), because
// Elasticsearch would refuse the record.
type Keys string

// The sets of names.
const (
	Glidepath     Keys = "glidepath"     // time, level, msg; the default
	ECS           Keys = "ecs"           // Elastic Common Schema 8
	OpenTelemetry Keys = "opentelemetry" // the log data model
	GoogleCloud   Keys = "googlecloud"   // Cloud Logging and Error Reporting
)
