package winsvc

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-glidepath/glidepath/internal/service"
)

func record(id, level, at, data string) string {
	return `<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='web'/><EventID Qualifiers='0'>1</EventID>` +
		`<Level>` + level + `</Level><TimeCreated SystemTime='` + at + `'/><EventRecordID>` + id + `</EventRecordID><Channel>Application</Channel></System>` + data + `</Event>`
}

func TestTheLogIsReadTheOldestFirst(t *testing.T) {
	m, f := newManager(t)
	f.events = []string{
		record("9", "2", "2026-01-01T12:00:01.1234567Z", "<EventData><Data>a &lt;b&gt; &amp;lt; &quot;c&quot;\r\nsecond line\r\n</Data></EventData>"),
		record("8", "3", "2026-01-01T12:00:00.000000000Z", "<EventData><Data Name='x'>one</Data><Data>two</Data><Data/></EventData>"),
		record("7", "4", "2026-01-01T11:59:59Z", "<EventData/>"),
		record("6", "4", "x", ""),
	}
	var b strings.Builder
	if err := m.Logs(t.Context(), web(), service.LogQuery{Lines: 3}, &b); err != nil {
		t.Fatal(err)
	}
	want := "2026-01-01T11:59:59.000Z info\n2026-01-01T12:00:00.000Z warning one two\n2026-01-01T12:00:01.123Z error a <b> &lt; \"c\"\nsecond line\n"
	if b.String() != want {
		t.Errorf("got\n%s", b.String())
	}
	if f.queries[0] != "*[System[Provider[@Name='web']]]" {
		t.Errorf("asked for %q", f.queries)
	}
}

func TestALogIsFollowedFromTheLastRecordOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f := newManager(t)
		f.events = []string{record("9", "4", "2026-01-01T12:00:00Z", "<EventData><Data>first</Data></EventData>")}
		ctx, cancel := context.WithTimeout(t.Context(), 3500*time.Millisecond)
		defer cancel()
		f.after(1500*time.Millisecond, func() {
			f.events = []string{record("10", "4", "2026-01-01T12:00:01Z", "<EventData><Data>second</Data></EventData>")}
		})
		var b strings.Builder
		if err := m.Logs(ctx, web(), service.LogQuery{Follow: true}, &b); err != nil {
			t.Fatal(err)
		}
		if want := "2026-01-01T12:00:00.000Z info first\n2026-01-01T12:00:01.000Z info second\n"; b.String() != want {
			t.Errorf("got\n%s", b.String())
		}
		if last := f.queries[len(f.queries)-1]; last != "*[System[Provider[@Name='web'] and EventRecordID>10]]" || len(f.queries) != 4 {
			t.Errorf("asked for %q", f.queries)
		}
	})
}

func FuzzNoRecordIsTooOdd(f *testing.F) {
	f.Add(record("9", "2", "2026-01-01T12:00:01Z", "<EventData><Data>a</Data></EventData>"))
	f.Add("</System><Data")
	f.Add("<TimeCreated SystemTime=")
	f.Fuzz(func(t *testing.T, xml string) { _ = parseEvent(xml).String() })
}
