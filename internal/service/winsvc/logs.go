package winsvc

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/records"
)

// logPoll is how often Logs looks for new records when it follows the log.
const logPoll = time.Second

// Logs reads the records of the service from the Application log. If q.Follow is set, it returns
// when ctx ends, without an error.
func (m *Manager) Logs(ctx context.Context, s manage.Spec, q manage.LogQuery, w io.Writer) error {
	if err := refuse(s); err != nil {
		return err
	}
	scm, err := m.connect(managerConnect)
	if err != nil {
		return err
	}
	scm.close()
	l := logReader{api: m.api, name: s.ServiceName(), view: records.NewView(q, w)}
	if q.Lines > 0 {
		err = l.newest(q)
	} else {
		err = l.read(choice(q))
	}
	if err == nil {
		err = l.view.Flush()
	}
	for err == nil && q.Follow && sleep(ctx, logPoll) == nil {
		err = l.read(choice(q) + " and EventRecordID>" + strconv.FormatUint(l.last, 10))
	}
	return err
}

// choice returns the condition by which the event log selects records: their level, and their
// time in milliseconds.
func choice(q manage.LogQuery) (xpath string) {
	if l, some := records.Lowest(q.Level); some {
		levels := []string{"Level=1", "Level=2"}
		if l < zapcore.ErrorLevel {
			levels = append(levels, "Level=3")
		}
		if l < zapcore.WarnLevel {
			levels = append(levels, "Level=0", "Level=4")
		}
		xpath += " and (" + strings.Join(levels, " or ") + ")"
	}
	if !q.Since.IsZero() {
		xpath += " and TimeCreated[@SystemTime>='" + q.Since.UTC().Format("2006-01-02T15:04:05.000Z") + "']"
	}
	return xpath
}

// logReader reads the records of one source.
type logReader struct {
	api  api
	name string
	view *records.View
	last uint64 // the number of the newest record read
}

// read reads the records that xpath selects, the oldest first.
func (l *logReader) read(xpath string) error {
	return l.events(xpath, false, func(r records.Record) (bool, error) { return true, l.view.Add(r) })
}

// newest reads the last q.Lines records that are wanted. It reads the log backwards until it has
// enough.
func (l *logReader) newest(q manage.LogQuery) error {
	var found []records.Record
	size := 0
	err := l.events(choice(q), true, func(r records.Record) (bool, error) {
		if !records.Wanted(q, r) {
			return true, nil
		}
		found = append(found, r)
		if size += r.Size(); size > records.MaxKept {
			l.view.Incomplete()
			return false, nil
		}
		return len(found) < q.Lines, nil
	})
	if err != nil {
		return err
	}
	for _, r := range slices.Backward(found) {
		if err := l.view.Add(r); err != nil {
			return err
		}
	}
	return nil
}

// events calls yield with the records that xpath selects, until yield returns false.
func (l *logReader) events(xpath string, backwards bool, yield func(records.Record) (bool, error)) error {
	var failed error
	err := l.api.Events(fmt.Sprintf("*[System[Provider[@Name='%s']%s]]", l.name, xpath), backwards, func(xml string) bool {
		e := parseEvent(xml)
		l.last = max(l.last, e.number)
		var more bool
		more, failed = yield(e.record())
		return more && failed == nil
	})
	if failed != nil {
		return failed
	}
	return denied("read the Application log", err)
}

// event is a record of a log.
type event struct {
	number    uint64
	id, level int
	time      time.Time
	pid       int
	data      []string
}

// parseEvent parses what EvtRender returns. It does not parse XML in general, because the log
// always writes the few elements that are needed in the same form.
func parseEvent(xml string) (e event) {
	system, data, _ := strings.Cut(xml, "</System>")
	e.number, _ = strconv.ParseUint(element(system, "EventRecordID"), 10, 64)
	e.id, _ = strconv.Atoi(element(system, "EventID"))
	e.level, _ = strconv.Atoi(element(system, "Level"))
	e.time = records.Time(attribute(system, "<TimeCreated SystemTime="))
	e.pid, _ = strconv.Atoi(attribute(system, "<Execution ProcessID="))
	for {
		_, after, ok := strings.Cut(data, "<Data")
		if !ok {
			break
		}
		attributes, after, ok := strings.Cut(after, ">")
		if !ok {
			break
		}
		data = after
		if strings.HasSuffix(attributes, "/") {
			continue
		}
		text, after, _ := strings.Cut(data, "</Data>")
		data = after
		e.data = append(e.data, strings.ReplaceAll(strings.TrimSpace(unescape.Replace(text)), "\r\n", "\n"))
	}
	return e
}

// attribute returns the value of an attribute, which may be in quotes of either kind.
func attribute(xml, before string) string {
	_, rest, _ := strings.Cut(xml, before)
	if rest == "" {
		return ""
	}
	value, _, _ := strings.Cut(rest[1:], rest[:1])
	return value
}

// record returns the record from which package eventlog made the event. The first text of the
// event has the message and one field per line. The second, if there is one, has the fields as
// JSON.
func (e event) record() (r records.Record) {
	r.Time, r.PID = e.time, e.pid
	switch {
	case e.id == idDebug || e.level == 5:
		r.Level = zapcore.DebugLevel
	case e.id == idFatal || e.level == 1:
		r.Level = zapcore.FatalLevel
	case e.level == 2:
		r.Level = zapcore.ErrorLevel
	case e.level == 3:
		r.Level = zapcore.WarnLevel
	}
	if len(e.data) > 0 {
		e.data[0] = percent.Replace(e.data[0])
	}
	switch {
	case len(e.data) == 0:
	case len(e.data) == 2 && r.AddList(e.data[0], e.data[1]):
	case len(e.data) == 1 && r.AddList(e.data[0], ""):
	default:
		r.Message = strings.Join(e.data, " ")
	}
	return r
}

// percent undoes the escape that keeps Event Viewer from replacing %1.
var percent = strings.NewReplacer(`\x25`, "%")

// The event ids of package eventlog for levels that Windows has no type for.
const (
	idDebug = 100
	idFatal = 104
)

var unescape = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&apos;", "'", "&amp;", "&",
	"&#13;", "\r", "&#10;", "\n", "&#9;", "\t", "&#xD;", "\r", "&#xA;", "\n", "&#x9;", "\t")

// element returns the text of an element.
func element(xml, name string) string {
	_, rest, _ := strings.Cut(xml, "<"+name)
	_, rest, _ = strings.Cut(rest, ">")
	text, _, _ := strings.Cut(rest, "</"+name)
	return text
}
