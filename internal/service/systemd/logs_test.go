//go:build unix

package systemd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/command"
)

// entryAt returns a line of journalctl.
func entryAt(second int, members string) string {
	micro := time.Date(2026, 11, 27, 10, 0, second, 0, time.UTC).UnixMicro()
	return fmt.Sprintf(`{"__CURSOR":"c%d","__REALTIME_TIMESTAMP":"%d",%s}`+"\n", second, micro, members)
}

// at returns the time of such an entry, as it is shown.
func at(second int) string {
	return time.Date(2026, 11, 27, 10, 0, second, 0, time.UTC).Local().Format("2006-01-02T15:04:05.000Z07:00 ")
}

// theJournal returns the journal of a service that was started, has logged, printed and crashed.
func theJournal() string {
	return entryAt(1, `"PRIORITY":"6","_PID":"1","_TRANSPORT":"journal","UNIT":"web.service","JOB_ID":"7","MESSAGE":"Started web.service."`) +
		entryAt(2, `"PRIORITY":"6","_PID":"12","_TRANSPORT":"journal","SYSLOG_IDENTIFIER":"web","SYSLOG_FACILITY":"3","_SYSTEMD_UNIT":"web.service","LOGGER":"api",`+
			`"CODE_LINE":"42","CODE_FILE":"/src/web/main.go","CODE_FUNC":"main.main","MESSAGE":"listening","ADDR":":8080","TLS":"true","USERID":"0012","N":"[1,2]","KEYS":"\"userID\"","_EXE":"/web"`) +
		entryAt(3, `"PRIORITY":"4","_PID":"12","_TRANSPORT":"journal","MESSAGE":"request failed path=\"/a b\"\n    error:\n        one\n        two","MESSAGE_BYTES":"14",`+
			`"PATH":"/a b","ERROR":"one\ntwo","ERRNO":"98","HTTP_STATUS":"503","PEER":"{\"ip\":\"::1\",\"ports\":[1,\"x\"]}"`) +
		entryAt(4, `"PRIORITY":"6","_PID":"12","_TRANSPORT":"stdout","MESSAGE":"printed x=1","STRANGE":"field"`) +
		entryAt(5, `"PRIORITY":"2","_PID":"13","_TRANSPORT":"journal","MESSAGE":[104,105,27],"EVENT":"failed","MESSAGE_ID":"c56dcbfb0ad14297aed6149e4b6e8642","A":["1","2"]`) +
		entryAt(6, `"PRIORITY":"3","_PID":"12","_TRANSPORT":"journal","LOGGED_AT":"2026-11-27T09:59:00Z","MESSAGE":"late","STACK":"main.f\n\tmain.go:1"`)
}

var shownJournal = []string{
	at(1) + "INFO  Started web.service.\n",
	at(2) + "INFO  api: listening addr=:8080 n=[1, 2] tls=true userID=0012\n",
	at(3) + "WARN  request failed path=\"/a b\" http_status=503 peer.ip=::1 peer.ports=[1, x]\n    error:\n        one\n        two\n",
	at(4) + "INFO  printed x=1\n",
	at(5) + `FATAL hi\x1b a=1 a=2` + "\n",
	at(-60) + "ERROR late\n    stack:\n        main.f\n            main.go:1\n",
}

// journalOf makes journalctl print text when it reads the existing journal, and more when it
// follows. It returns the calls.
func journalOf(m *Manager, text, more string) *[]string {
	calls := new([]string)
	m.stream = func(_ context.Context, stdout, _ io.Writer, name string, args ...string) error {
		*calls = append(*calls, name+" "+strings.Join(args, " "))
		if slices.Contains(args, "--follow") {
			text = more
		}
		for part := range slices.Chunk([]byte(text), 100) {
			if _, err := stdout.Write(part); err != nil {
				return err
			}
		}
		return nil
	}
	return calls
}

func TestLogs_EntriesHaveTheirFields(t *testing.T) {
	_, m := newFake(t, false)
	journalOf(m, theJournal(), "")
	var log strings.Builder
	if err := m.Logs(t.Context(), web(), manage.LogQuery{}, &log); err != nil || log.String() != strings.Join(shownJournal, "") {
		t.Errorf("%v, it shows\n%swant\n%s", err, &log, strings.Join(shownJournal, ""))
	}
	log.Reset()
	if err := m.Logs(t.Context(), web(), manage.LogQuery{LogOptions: service.LogOptions{JSON: true, Match: regexp.MustCompile("listening")}}, &log); err != nil || !strings.Contains(log.String(), `"logger":"api","caller":"web/main.go:42","msg":"listening"`) {
		t.Errorf("%v, as JSON it is\n%s", err, &log)
	}
	log.Reset()
	if err := m.Logs(t.Context(), web(), manage.LogQuery{LogOptions: service.LogOptions{JSON: true, Level: zap.WarnLevel}}, &log); err != nil {
		t.Error(err)
	}
	want := []string{
		`{"level":"warn","time":"T","msg":"request failed","path":"/a b","error":"one\ntwo","http_status":503,"peer":{"ip":"::1","ports":[1,"x"]}}`,
		`{"level":"fatal","time":"T","msg":"hi\u001b","a":1,"a":2,"event":"failed"}`,
		`{"level":"error","time":"T","msg":"late","stack":"main.f\n\tmain.go:1"}`,
	}
	got := regexp.MustCompile(`"time":"[^"]*"`).ReplaceAllString(log.String(), `"time":"T"`)
	if got != strings.Join(want, "\n")+"\n" {
		t.Errorf("as JSON it is\n%s", got)
	}
}

func TestLogs_SelectsRecords(t *testing.T) {
	base := "journalctl --no-pager --quiet --output=json --all "
	noon := time.Date(2026, 11, 27, 10, 0, 3, 500_000_000, time.UTC)
	for name, test := range map[string]struct {
		query manage.LogQuery
		call  string
		shown []int // of the entries
	}{
		"all":                  {manage.LogQuery{}, "--unit=web.service --lines=all", []int{0, 1, 2, 3, 4, 5}},
		"the last":             {manage.LogQuery{LogOptions: service.LogOptions{Lines: 2}}, "--unit=web.service --lines=2", []int{4, 5}},
		"since":                {manage.LogQuery{LogOptions: service.LogOptions{Since: noon}}, fmt.Sprintf("--unit=web.service --lines=all --since=@%d", noon.Unix()), []int{3, 4}},
		"warnings":             {manage.LogQuery{LogOptions: service.LogOptions{Level: zap.WarnLevel}}, "--priority=4 --unit=web.service --lines=all", []int{2, 4, 5}},
		"the last errors":      {manage.LogQuery{LogOptions: service.LogOptions{Level: zap.ErrorLevel, Lines: 1}}, "--priority=3 --unit=web.service --lines=1", []int{5}},
		"all levels":           {manage.LogQuery{LogOptions: service.LogOptions{Level: zap.DebugLevel}}, "--unit=web.service --lines=all", []int{0, 1, 2, 3, 4, 5}},
		"a message":            {manage.LogQuery{LogOptions: service.LogOptions{Match: regexp.MustCompile("^request")}}, "--unit=web.service --lines=all", []int{2}},
		"a field":              {manage.LogQuery{LogOptions: service.LogOptions{Match: regexp.MustCompile(`userID=\d+`)}}, "--unit=web.service --lines=all", []int{1}},
		"no caller":            {manage.LogQuery{LogOptions: service.LogOptions{Match: regexp.MustCompile(`main.go:42`)}}, "--unit=web.service --lines=all", nil},
		"the last that match":  {manage.LogQuery{LogOptions: service.LogOptions{Match: regexp.MustCompile(`t`), Lines: 2}}, "--unit=web.service --lines=all", []int{3, 5}},
		"the last of a PID":    {manage.LogQuery{LogOptions: service.LogOptions{Lines: 2}, PID: 12}, "--unit=web.service --lines=all", []int{3, 5}},
		"matching and of high": {manage.LogQuery{LogOptions: service.LogOptions{Match: regexp.MustCompile(`e`), Lines: 1, Level: zap.WarnLevel}}, "--priority=4 --unit=web.service --lines=all", []int{5}},
	} {
		t.Run(name, func(t *testing.T) {
			_, m := newFake(t, false)
			calls := journalOf(m, theJournal(), "")
			want := ""
			for _, i := range test.shown {
				want += shownJournal[i]
			}
			var log strings.Builder
			if err := m.Logs(t.Context(), web(), test.query, &log); err != nil || log.String() != want {
				t.Errorf("%v, it shows\n%swant\n%s", err, &log, want)
			}
			if got := strings.Join(*calls, "; "); got != base+test.call {
				t.Errorf("called was %s", got)
			}
		})
	}
}

func TestLogs_FollowingResumesAfterLastEntry(t *testing.T) {
	_, m := newFake(t, true)
	calls := journalOf(m, theJournal(), entryAt(7, `"PRIORITY":"3","MESSAGE":"more"`)+entryAt(8, `"PRIORITY":"6","MESSAGE":"not that"`))
	var log strings.Builder
	if err := m.Logs(t.Context(), web(), manage.LogQuery{LogOptions: service.LogOptions{Lines: 1, Level: zap.ErrorLevel, Follow: true, Since: time.Unix(5, 0)}}, &log); err != nil || log.String() != shownJournal[5]+at(7)+"ERROR more\n" {
		t.Errorf("%v, it shows\n%s", err, &log)
	}
	entries := "_SYSTEMD_USER_UNIT=web.service _UID=1000 + SYSLOG_IDENTIFIER=web _UID=1000 + USER_UNIT=web.service _UID=1000 + COREDUMP_USER_UNIT=web.service _UID=1000"
	base := "journalctl --no-pager --quiet --output=json --all --priority=3 " + entries
	if !slices.Equal(*calls, []string{base + " --lines=1 --since=@5", base + " --lines=all --follow --after-cursor=c6"}) {
		t.Errorf("called was %q", *calls)
	}
}

func TestLogs_CutsLongEntry(t *testing.T) {
	long := entryAt(1, `"PRIORITY":"4","_TRANSPORT":"journal","MESSAGE":"whole","X":"`+strings.Repeat("x", maxEntry)+`","Y":"1"`)
	_, m := newFake(t, false)
	journalOf(m, long+entryAt(2, `"MESSAGE":"next"`), "")
	var log strings.Builder
	want := at(1) + "WARN  whole cut=\"the rest of a record of more than 8 MiB\"\n" + at(2) + "INFO  next\n"
	if err := m.Logs(t.Context(), web(), manage.LogQuery{}, &log); err != nil || log.String() != want {
		t.Errorf("%v, it shows\n%.500s", err, &log)
	}
}

func FuzzParseEntry(f *testing.F) {
	for line := range strings.Lines(theJournal()) {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		_, m := newFake(t, false)
		journalOf(m, line+"\n"+entryAt(2, `"MESSAGE":"next"`), "")
		var log strings.Builder
		if err := m.Logs(t.Context(), web(), manage.LogQuery{}, &log); err != nil || !strings.HasSuffix(log.String(), at(2)+"INFO  next\n") {
			t.Errorf("%v, it shows\n%s", err, &log)
		}
	})
}

func TestLogs_FollowingEndsWithContext(t *testing.T) {
	_, m := newFake(t, false)
	ctx, cancel := context.WithCancel(t.Context())
	m.stream = func(ctx context.Context, _, _ io.Writer, _ string, _ ...string) error {
		cancel()
		return context.Cause(ctx)
	}
	if err := m.Logs(ctx, web(), manage.LogQuery{LogOptions: service.LogOptions{Follow: true}}, io.Discard); err != nil {
		t.Error(err)
	}
	if err := m.Logs(ctx, web(), manage.LogQuery{}, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("without following: %v", err)
	}
}

func TestLogs_FollowingEndsWithJournalctl(t *testing.T) {
	_, m := newFake(t, false)
	m.stream = func(context.Context, io.Writer, io.Writer, string, ...string) error {
		return &command.Error{Line: "journalctl", Code: -1} // an interrupt at the terminal is for both
	}
	if err := m.Logs(t.Context(), web(), manage.LogQuery{LogOptions: service.LogOptions{Follow: true}}, io.Discard); err != nil {
		t.Error(err)
	}
	if err := m.Logs(t.Context(), web(), manage.LogQuery{}, io.Discard); err == nil {
		t.Error("without following, it has said nothing")
	}
}

func TestLogs_SaysIfJournalCannotBeRead(t *testing.T) {
	_, m := newFake(t, false)
	m.stream = func(_ context.Context, _, stderr io.Writer, _ string, args ...string) error {
		if !slices.Contains(args, "--quiet") {
			_, _ = io.WriteString(stderr, "Hint: You are currently not seeing messages from other users and the system.\n")
		}
		return nil
	}
	wantError(t, m.Logs(t.Context(), web(), manage.LogQuery{}, io.Discard), service.ErrPermission, "systemd-journal")

	m.stream = func(_ context.Context, _, stderr io.Writer, _ string, _ ...string) error {
		_, _ = io.WriteString(stderr, "No journal files were opened due to insufficient permissions.\n")
		return &command.Error{Line: "journalctl", Code: 1}
	}
	wantError(t, m.Logs(t.Context(), web(), manage.LogQuery{}, io.Discard), service.ErrPermission)
	m.stream = func(context.Context, io.Writer, io.Writer, string, ...string) error { return nil }
	if err := m.Logs(t.Context(), web(), manage.LogQuery{}, io.Discard); err != nil {
		t.Errorf("an empty log: got %v, want nil", err)
	}
}
