package systemd

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/journal"
	"github.com/go-glidepath/glidepath/internal/service/records"
)

// entry is an entry of the journal as journalctl prints it: a JSON object. Its members are
// strings, lists of numbers for binary data, and lists of these if the entry has several
// fields of one name.
type entry struct {
	record    records.Record
	cursor    string
	ofProgram bool   // the program has logged it, with fields, and not systemd
	bytes     int    // of MESSAGE that are the message, -1 if all are
	full      string // the message, if MESSAGE has only its beginning
	received  string // when journald received it; sent and logged are more precise
	sent      string
	logged    string
	pid       string
	file      string
	line      int
	fieldText string            // follows the message in MESSAGE: the fields, in their order
	keys      map[string]string // the program's names for its fields, where they differ
	fields    []journalField
}

type journalField struct{ name, value string }

// parseEntry reads a line of journalctl. From a line that was cut off, because it is too
// long, it reads what precedes the cut.
func parseEntry(line []byte) (entry, bool) {
	e := entry{ofProgram: true, bytes: -1}
	e.record.Level = zapcore.InfoLevel
	broken := records.Members(line, func(name string, value json.RawMessage) {
		for _, text := range fieldValues(value) {
			e.add(name, text)
		}
	})
	if e.received == "" {
		return entry{}, false
	}
	e.finish(broken != nil)
	return e, true
}

// add stores a field of the entry.
func (e *entry) add(name, value string) {
	r := &e.record
	switch name {
	case "__CURSOR":
		e.cursor = value
	case "__REALTIME_TIMESTAMP":
		e.received = value
	case "_SOURCE_REALTIME_TIMESTAMP":
		e.sent = value
	case "LOGGED_AT":
		e.logged = value
	case "_PID":
		e.pid = value
	case "SYSLOG_PID":
		if e.pid == "" {
			e.pid = value
		}
	case "PRIORITY":
		if n, err := strconv.Atoi(value); err == nil {
			r.Level = records.Severity(n)
		}
	case "MESSAGE":
		r.Message = value
	case "FULL_MESSAGE":
		e.full = value
	case "MORE_FIELDS":
		for line := range strings.Lines(value) {
			if name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "="); ok {
				e.fields = append(e.fields, journalField{name, value})
			}
		}
	case journal.MessageBytes:
		e.bytes, _ = strconv.Atoi(value)
	case journal.Keys:
		e.keys = journal.NamesOf(value)
	case "LOGGER":
		r.LoggerName = value
	case "STACK":
		r.Stack = value
	case "CODE_FILE":
		e.file = value
	case "CODE_LINE":
		e.line, _ = strconv.Atoi(value)
	case "_TRANSPORT":
		e.ofProgram = e.ofProgram && value == "journal"
	case "UNIT", "USER_UNIT", "COREDUMP_UNIT", "COREDUMP_USER_UNIT":
		e.ofProgram = false
	default:
		if !journal.Reserved(name) && name != "" && name[0] != '_' {
			e.fields = append(e.fields, journalField{name, value})
		}
	}
}

// finish completes the record when all fields were added.
func (e *entry) finish(broken bool) {
	r := &e.record
	for _, text := range []string{e.received, e.sent} {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			r.Time = time.UnixMicro(n)
		}
	}
	if at := records.Time(e.logged); !at.IsZero() {
		r.Time = at
	}
	r.PID, _ = strconv.Atoi(e.pid)
	switch {
	case e.full != "":
		r.Message = e.full
	case e.bytes >= 0 && e.bytes < len(r.Message):
		r.Message, e.fieldText = r.Message[:e.bytes], r.Message[e.bytes:]
	}
	if e.file != "" && e.line > 0 {
		r.Caller = zapcore.EntryCaller{Defined: true, File: e.file, Line: e.line}
	}
	r.Message = strings.TrimRight(r.Message, "\r\n")
	if !e.ofProgram {
		return
	}
	for i, f := range e.fields {
		if key, ok := e.keys[f.name]; ok {
			e.fields[i].name = key
		} else {
			e.fields[i].name = strings.ToLower(f.name)
		}
	}
	slices.SortStableFunc(e.fields, e.compareFields)
	for _, f := range e.fields {
		r.Fields = append(r.Fields, records.Text(f.name, f.value))
	}
	if broken {
		r.Fields = append(r.Fields, records.Text("cut", "the rest of a record of more than "+strconv.Itoa(maxEntry>>20)+" MiB"))
	}
}

// compareFields orders two fields as in the text that follows the message, or else by name,
// because the journal keeps no order.
func (e *entry) compareFields(a, b journalField) int {
	return cmp.Or(cmp.Compare(e.position(a.name), e.position(b.name)), strings.Compare(a.name, b.name))
}

func (e *entry) position(key string) int {
	if i := strings.Index(e.fieldText, " "+key+"="); i >= 0 {
		return i
	}
	return len(e.fieldText)
}

// fieldValues returns the values of a field.
func fieldValues(value json.RawMessage) []string {
	if len(value) == 0 {
		return nil
	}
	switch value[0] {
	case '"':
		var text string
		if json.Unmarshal(value, &text) == nil {
			return []string{text}
		}
	case '[':
		var b []byte
		var numbers []int
		if json.Unmarshal(value, &numbers) == nil { // binary data
			for _, n := range numbers {
				b = append(b, byte(n))
			}
			return []string{string(b)}
		}
		var several []json.RawMessage
		var all []string
		if json.Unmarshal(value, &several) == nil {
			for _, one := range several {
				all = append(all, fieldValues(one)...)
			}
		}
		return all
	}
	return nil
}
