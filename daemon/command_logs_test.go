package daemon

import (
	"context"
	"errors"
	"io"
	"reflect"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/records"
)

func TestLogs_FlagsBecomeTheQuery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // a clock of its own
		s := newShell(t)
		s.manager.log = "a line\n"
		now := time.Now()
		midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.Local)
		for line, want := range map[string]manage.LogQuery{
			"logs":                                   {LogOptions: service.LogOptions{Lines: 100}},
			"logs -n 0":                              {},
			"logs -f -n=7":                           {LogOptions: service.LogOptions{Lines: 7, Follow: true}},
			"logs --json --level error":              {LogOptions: service.LogOptions{Lines: 100, JSON: true, Level: zap.ErrorLevel}},
			"logs --level WARNING -n 10 -f":          {LogOptions: service.LogOptions{Lines: 10, Follow: true, Level: zap.WarnLevel}},
			"logs --level debug":                     {LogOptions: service.LogOptions{Lines: 100, Level: zap.DebugLevel}},
			"logs --since 10m":                       {LogOptions: service.LogOptions{Lines: 100, Since: now.Add(-10 * time.Minute)}},
			"logs --since=1h30m":                     {LogOptions: service.LogOptions{Lines: 100, Since: now.Add(-90 * time.Minute)}},
			"logs --since 2d":                        {LogOptions: service.LogOptions{Lines: 100, Since: now.Add(-48 * time.Hour)}},
			"logs --since today":                     {LogOptions: service.LogOptions{Lines: 100, Since: midnight}},
			"logs --since yesterday":                 {LogOptions: service.LogOptions{Lines: 100, Since: midnight.AddDate(0, 0, -1)}},
			"logs --since 2026-11-27T10:00:00+01:00": {LogOptions: service.LogOptions{Lines: 100, Since: time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)}},
			"logs --since 2026-11-27T10:00":          {LogOptions: service.LogOptions{Lines: 100, Since: time.Date(2026, 11, 27, 10, 0, 0, 0, time.Local)}},
			"logs --since 2026-11-27":                {LogOptions: service.LogOptions{Lines: 100, Since: time.Date(2026, 11, 27, 0, 0, 0, 0, time.Local)}},
			"logs -g a.c":                            {LogOptions: service.LogOptions{Lines: 100, Match: regexp.MustCompile("a.c")}},
			"logs --grep=(?i)a":                      {LogOptions: service.LogOptions{Lines: 100, Match: regexp.MustCompile("(?i)a")}},
		} {
			code, out, _ := s.call(line)
			got := s.manager.asked
			if code != 0 || out != "a line\n" || !got.Since.Equal(want.Since) {
				t.Errorf("%s: exit code %d, since %v, want %v, %s", line, code, got.Since, want.Since, out)
			}
			got.Since, want.Since = time.Time{}, time.Time{}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s: asked for %+v, want %+v", line, got, want)
			}
		}
	})
}

func TestParseSince_ReadsWhatPeopleType(t *testing.T) {
	now := time.Date(2026, 3, 30, 1, 30, 0, 0, time.UTC)
	if at, err := parseSince("2026-11-27 10:00", now); err != nil || !at.Equal(time.Date(2026, 11, 27, 10, 0, 0, 0, time.UTC)) {
		t.Errorf("%v, %v", at, err)
	}
	if at, err := parseSince("2026-11-27 10:00:05", now); err != nil || at.Second() != 5 {
		t.Errorf("%v, %v", at, err)
	}
	if zone, err := time.LoadLocation("Europe/Berlin"); err == nil { // the clock goes forward that night, and back
		for _, now := range []time.Time{time.Date(2026, 3, 29, 12, 0, 0, 0, zone), time.Date(2026, 10, 25, 12, 0, 0, 0, zone)} {
			if at, err := parseSince("yesterday", now); err != nil || at.Hour() != 0 || at.Day() != now.Day()-1 {
				t.Errorf("yesterday was %v, %v", at, err)
			}
		}
	}
	for _, text := range []string{"", "10", "-10m", "-1d", "1.5d", "d", "10:00", "tomorrow", "2026-13-01", "2026-11-27 25:00", "99999d"} {
		if at, err := parseSince(text, now); err == nil {
			t.Errorf("%q is %v", text, at)
		}
	}
}

// kept is a manager that has records.
type kept struct {
	*register
	records []records.Record
}

func (k kept) Logs(_ context.Context, _ manage.Spec, q manage.LogQuery, w io.Writer) error {
	v := records.NewView(q, w)
	for _, r := range k.records {
		r.Fields = append([]zapcore.Field(nil), r.Fields...)
		if err := v.Add(r); err != nil {
			return err
		}
	}
	return v.Flush()
}

func record(at time.Time, l zapcore.Level, message string, fields ...zapcore.Field) records.Record {
	return records.Record{Entry: zapcore.Entry{Time: at, Level: l, Message: message}, Fields: fields}
}

func TestLogs_Output(t *testing.T) {
	s := newShell(t)
	at := time.Date(2026, 11, 27, 10, 0, 0, 0, time.UTC)
	k := kept{s.manager, []records.Record{
		record(at, zap.InfoLevel, "starting", zap.String("version", "v1.2.3"), zap.String("event", "starting")),
		record(at.Add(time.Second), zap.DebugLevel, "asked", zap.String("path", "/a b"), zap.Duration("took", 3*time.Millisecond)),
		record(at.Add(2*time.Second), zap.WarnLevel, "slow", zap.Int("status", 200), zap.Strings("peers", []string{"::1", "a b"})),
		record(time.Time{}, zap.InfoLevel, "printed, and nobody knows when"),
		record(at.Add(3*time.Second), zap.ErrorLevel, "request failed", zap.NamedError("error", errors.New("one\ntwo")), zap.Int("status", 503)),
	}}
	var tr transcript
	s.log, s.manager.status = k, service.Status{State: service.Running}
	for _, line := range []string{
		"logs", "logs -n 2", "logs -n 1 --level warn", "logs --level error --json", "logs -g status=5", "logs --grep ^asked --json",
		"logs --since 2026-11-27T10:00:02Z", "logs --level error -g slow", "logs --json -n 1",
		"logs --since noon", "logs --level loud", "logs -g (", "logs --grep=a**", "logs -g", "logs --help",
	} {
		tr.call(s, line)
	}
	tr.golden(t, "logs")
}
