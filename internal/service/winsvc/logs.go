package winsvc

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/internal/service"
)

// logPoll is how often the log is looked at for what follows.
const logPoll = time.Second

// Logs reads what the service has reported to the Application log, a record a line or
// more: time, level, text. That of a follow ends with ctx, without an error.
func (m *Manager) Logs(ctx context.Context, s service.Spec, q service.LogQuery, w io.Writer) error {
	if err := refuse(s); err != nil {
		return err
	}
	scm, err := m.connect(managerConnect)
	if err != nil {
		return err
	}
	scm.close()
	xpath := "*[System[Provider[@Name='" + s.ServiceName() + "']%s]]"
	records, err := m.api.Events(fmt.Sprintf(xpath, ""), q.Lines)
	var last uint64
	for {
		if err != nil {
			return denied("read the Application log", err)
		}
		for _, r := range slices.Backward(records) {
			e := parseEvent(r)
			last = max(last, e.record)
			if _, err := io.WriteString(w, e.String()+"\n"); err != nil {
				return err
			}
		}
		if !q.Follow {
			return nil
		}
		if rest(ctx, logPoll) != nil {
			return nil
		}
		records, err = m.api.Events(fmt.Sprintf(xpath, " and EventRecordID>"+strconv.FormatUint(last, 10)), 0)
	}
}

// event is a record of a log.
type event struct {
	record uint64
	time   string
	level  string
	text   string
}

var eventLevels = map[string]string{"1": "critical", "2": "error", "3": "warning", "4": "info", "5": "debug", "0": "info"}

func (e event) String() string { return strings.TrimSpace(e.time + " " + e.level + " " + e.text) }

// parseEvent reads what EvtRender has written. It is no parser of XML, which would be a
// large one for three elements: the log writes them always in one way.
func parseEvent(xml string) (e event) {
	system, data, _ := strings.Cut(xml, "</System>")
	e.record, _ = strconv.ParseUint(element(system, "EventRecordID"), 10, 64)
	level := element(system, "Level")
	if e.level = eventLevels[level]; e.level == "" {
		e.level = "level " + level
	}
	_, rest, _ := strings.Cut(system, "<TimeCreated SystemTime=")
	if len(rest) > 0 {
		e.time, _, _ = strings.Cut(rest[1:], rest[:1]) // either quote
	}
	if t, err := time.Parse(time.RFC3339Nano, e.time); err == nil {
		e.time = t.UTC().Format("2006-01-02T15:04:05.000Z")
	}
	var texts []string
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
		texts = append(texts, strings.TrimSpace(unescape.Replace(text)))
	}
	e.text = strings.ReplaceAll(strings.Join(texts, " "), "\r\n", "\n")
	return e
}

var unescape = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&apos;", "'", "&amp;", "&",
	"&#13;", "\r", "&#10;", "\n", "&#9;", "\t", "&#xD;", "\r", "&#xA;", "\n", "&#x9;", "\t")

func element(xml, name string) string {
	_, rest, _ := strings.Cut(xml, "<"+name)
	_, rest, _ = strings.Cut(rest, ">")
	text, _, _ := strings.Cut(rest, "</"+name)
	return text
}
