package winsvc

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

func record(id, level, at, data string) string {
	return `<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='web'/><EventID Qualifiers='0'>1</EventID>` +
		`<Level>` + level + `</Level><TimeCreated SystemTime='` + at + `'/><EventRecordID>` + id + `</EventRecordID><Channel>Application</Channel></System>` + data + `</Event>`
}

// reported is a record as package eventlog reports it.
func reported(number, id int, level, at string, data ...string) string {
	text := ""
	for _, d := range data {
		text += "<Data>" + strings.NewReplacer("&", "&amp;", "<", "&lt;", "\"", "&quot;").Replace(d) + "</Data>"
	}
	return fmt.Sprintf(`<Event><System><Provider Name='web'/><EventID Qualifiers='0'>%d</EventID><Level>%s</Level><TimeCreated SystemTime='%s'/><EventRecordID>%d</EventRecordID><Execution ProcessID='12' ThreadID='0'/></System><EventData>%s</EventData></Event>`, id, level, at, number, text)
}

func local(at string) string {
	t, _ := time.Parse(time.RFC3339, at)
	return t.Local().Format("2006-01-02T15:04:05.000Z07:00 ")
}

func TestLogs_OldestFirst(t *testing.T) {
	m, f := newManager(t)
	f.events = []string{
		record("9", "2", "2026-01-01T12:00:01.1234567Z", "<EventData><Data>a &lt;b&gt; &amp;lt; &quot;c&quot;\r\n        second line\r\n    n: 5\r\n</Data></EventData>"),
		record("8", "3", "2026-01-01T12:00:00.000000000Z", "<EventData><Data Name='x'>one</Data><Data>two</Data><Data/></EventData>"),
		record("7", "4", "2026-01-01T11:59:59Z", "<EventData/>"),
		record("6", "4", "x", ""),
	}
	var b strings.Builder
	if err := m.Logs(t.Context(), web(), manage.LogQuery{LogOptions: service.LogOptions{Lines: 3}}, &b); err != nil {
		t.Fatal(err)
	}
	want := local("2026-01-01T11:59:59.000Z") + "INFO  \n" + local("2026-01-01T12:00:00.000Z") + "WARN  one two\n" + local("2026-01-01T12:00:01.123Z") + "ERROR a <b> &lt; \"c\" n=5\n    second line\n"
	if b.String() != want {
		t.Errorf("got\n%s", b.String())
	}
	if f.queries[0] != "*[System[Provider[@Name='web']]]" {
		t.Errorf("asked for %q", f.queries)
	}
}

func TestLogs_FieldsOfTheEventData(t *testing.T) {
	for _, test := range []struct {
		query manage.LogQuery
		want  string
	}{
		{manage.LogQuery{}, local("2026-01-01T12:00:02Z") + "DEBUG asked again=true\n" +
			local("2026-01-01T12:00:03Z") + "ERROR api: request of 100%1 failed status=503 peer.ip=::1 text=\"a b\"\n    stack:\n        main.serve\n            main.go:3\n"},
		{manage.LogQuery{LogOptions: service.LogOptions{JSON: true, Level: zap.ErrorLevel}}, `{"level":"error","time":"2026-01-01T12:00:03Z","caller":"web/main.go:3","msg":"api: request of 100%1 failed","status":503,"peer":{"ip":"::1"},"text":"a b","stack":"main.serve\n    main.go:3"}` + "\n"},
		{manage.LogQuery{LogOptions: service.LogOptions{Lines: 1, Match: regexp.MustCompile("again=true")}}, local("2026-01-01T12:00:02Z") + "DEBUG asked again=true\n"},
		{manage.LogQuery{LogOptions: service.LogOptions{Lines: 1, Level: zap.InfoLevel, Match: regexp.MustCompile("again=true")}}, ""},
		{manage.LogQuery{PID: 13}, ""},
		{manage.LogQuery{LogOptions: service.LogOptions{Lines: 5, Since: time.Date(2026, 1, 1, 12, 0, 3, 0, time.UTC), Match: regexp.MustCompile("asked")}}, ""},
	} {
		t.Run(fmt.Sprintf("%+v", test.query), func(t *testing.T) {
			m, f := newManager(t)
			f.events = []string{
				reported(9, 103, "2", "2026-01-01T12:00:03Z", "api: request of 100\\x251 failed\r\n    status: 503\r\n    peer.ip: ::1\r\n    text: a b\r\n    caller: web/main.go:3\r\n    stack:\r\n        main.serve\r\n            main.go:3", `{"status":503,"peer":{"ip":"::1"},"text":"a b"}`),
				reported(8, 100, "4", "2026-01-01T12:00:02Z", "asked\r\n    again: true"),
			}
			var b strings.Builder
			if err := m.Logs(t.Context(), web(), test.query, &b); err != nil || b.String() != test.want {
				t.Errorf("%+v: %v\n%swant\n%s", test.query, err, &b, test.want)
			}
		})
	}
}

func TestLogs_EventLogSelectsRecords(t *testing.T) {
	since := time.Date(2026, 1, 1, 13, 0, 3, 1_500_000, time.FixedZone("", 3600))
	for want, q := range map[string]manage.LogQuery{
		"*[System[Provider[@Name='web']]]": {LogOptions: service.LogOptions{Level: zap.DebugLevel}},
		"*[System[Provider[@Name='web'] and (Level=1 or Level=2 or Level=3 or Level=0 or Level=4)]]":                                    {LogOptions: service.LogOptions{Level: zap.InfoLevel}},
		"*[System[Provider[@Name='web'] and (Level=1 or Level=2 or Level=3) and TimeCreated[@SystemTime>='2026-01-01T12:00:03.001Z']]]": {LogOptions: service.LogOptions{Level: zap.WarnLevel, Since: since}},
		"*[System[Provider[@Name='web'] and (Level=1 or Level=2)]]":                                                                     {LogOptions: service.LogOptions{Level: zap.ErrorLevel}},
	} {
		t.Run(want, func(t *testing.T) {
			m, f := newManager(t)
			if err := m.Logs(t.Context(), web(), q, io.Discard); err != nil || len(f.queries) != 1 || f.queries[0] != want {
				t.Errorf("asked for %q, %v, want %s", f.queries, err, want)
			}
		})
	}
}

func TestLogs_FollowsFromTheLastRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f := newManager(t)
		f.events = []string{record("9", "4", "2026-01-01T12:00:00Z", "<EventData><Data>first</Data></EventData>")}
		ctx, cancel := context.WithTimeout(t.Context(), 3500*time.Millisecond)
		defer cancel()
		f.after(1500*time.Millisecond, func() {
			f.events = []string{record("10", "4", "2026-01-01T12:00:01Z", "<EventData><Data>second</Data></EventData>")}
		})
		var b strings.Builder
		if err := m.Logs(ctx, web(), manage.LogQuery{LogOptions: service.LogOptions{Follow: true}}, &b); err != nil {
			t.Fatal(err)
		}
		if want := local("2026-01-01T12:00:00Z") + "INFO  first\n" + local("2026-01-01T12:00:01Z") + "INFO  second\n"; b.String() != want {
			t.Errorf("got\n%s", b.String())
		}
		if last := f.queries[len(f.queries)-1]; last != "*[System[Provider[@Name='web'] and EventRecordID>10]]" || len(f.queries) != 4 {
			t.Errorf("asked for %q", f.queries)
		}
	})
}

func FuzzParseEvent_NeverPanics(f *testing.F) {
	f.Add(record("9", "2", "2026-01-01T12:00:01Z", "<EventData><Data>a</Data></EventData>"))
	f.Add("</System><Data")
	f.Add("<TimeCreated SystemTime=")
	f.Fuzz(func(t *testing.T, xml string) { _ = parseEvent(xml).record() })
}
