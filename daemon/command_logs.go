package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// Logs writes the log of the service to w, the oldest record first. It reads the journal, the
// Event Log, syslog, or the file that the manager writes. The form is always the same: a
// record is a line with the time, the level, the message and its fields,
//
//	2026-11-27T10:00:00.000Z WARN  api: request failed path=/a status=503
//
// and values of several lines follow, indented. With o.JSON, a record is a line with a JSON
// object that has the keys of [logkeys.Glidepath]. A line that the service has printed is a
// record of level info. Its time is "-" if the host does not record it; for o.Since, it has the
// time of the record before it.
func (h *Handle) Logs(ctx context.Context, o service.LogOptions, w io.Writer) error {
	err := h.manager.Logs(ctx, h.spec, manage.LogQuery{LogOptions: o}, w)
	if o.Follow && ctx.Err() != nil {
		err = nil // following ends this way
	}
	return h.wrap("read the log of", err)
}

func (c *commandLine) logs(ctx context.Context, o options) int {
	h, err := c.handle(o)
	if err != nil {
		return c.failed(err)
	}
	if o.lines < 0 {
		o.lines = 100 // fits the scrollback of a terminal
	}
	query := service.LogOptions{Lines: o.lines, Follow: o.follow, Since: o.since, Level: o.level, Match: o.match, JSON: o.json}
	out := counter{w: terminalSafe(c.out)}
	if err := h.Logs(ctx, query, &out); err != nil {
		return c.failedTo(err, o)
	}
	if o.follow {
		return 0
	}
	if out.n == 0 {
		if s, err := h.Status(ctx); err == nil && s.State == service.NotInstalled {
			return c.failedTo(h.wrap("read the log of", service.ErrNotInstalled), o)
		}
		what := "no log records"
		if !o.since.IsZero() || o.level != nil || o.match != nil {
			what = "no matching log records"
		}
		_, _ = fmt.Fprintf(c.err, "%s: %s\n", h.Name(), what)
	}
	c.noteCrashes(h)
	return 0
}

// counter counts the bytes written.
type counter struct {
	w io.Writer
	n int
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += n
	return n, err
}

// logsOptions returns the flags of the command logs.
func logsOptions() []option {
	return []option{
		toggle("f", "follow the log until interrupted", func(o *options) *bool { return &o.follow }),
		{name: "n", value: "LINES", summary: "print the last LINES records (default 100); 0 prints all", set: setLines},
		{name: "since", value: "TIME", summary: "print the records since then: 10m, 2d, yesterday, 2026-11-27 10:00, …", set: func(o *options, value string) (err error) {
			o.since, err = parseSince(value, time.Now())
			return err
		}},
		{name: "level", value: "LEVEL", summary: "print this level and above: debug, info, warn or error", set: setLevel},
		{name: "grep", letter: "g", value: "REGEXP", summary: "print the records whose message or fields match (RE2)", set: setMatch},
		toggle("json", "print one JSON object per line", func(o *options) *bool { return &o.json }),
	}
}

func setLines(o *options, value string) error {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		return fmt.Errorf("want a number of lines, but got %q", value)
	}
	o.lines = n
	return nil
}

func setLevel(o *options, value string) error {
	l, ok := parseLevel(value)
	if !ok {
		return fmt.Errorf("want debug, info, warn or error, but got %q", value)
	}
	o.level = l
	return nil
}

func setMatch(o *options, value string) (err error) {
	if o.match, err = regexp.Compile(value); err == nil {
		return nil
	}
	var bad *syntax.Error
	if errors.As(err, &bad) {
		return fmt.Errorf("want a regular expression (RE2), but got %q: %s: %q", value, bad.Code, bad.Expr)
	}
	return err
}

// parseSince parses a time in one of the forms that people type, relative to now and in its
// time zone.
func parseSince(text string, now time.Time) (time.Time, error) {
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	switch text {
	case "now":
		return now, nil
	case "today":
		return midnight, nil
	case "yesterday":
		return midnight.AddDate(0, 0, -1), nil
	}
	if d, ok := ago(text); ok {
		return now.Add(-d), nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	for _, form := range []string{time.DateTime, "2006-01-02 15:04", time.DateOnly, "2006-01-02T15:04:05", "2006-01-02T15:04"} {
		if at, err := time.ParseInLocation(form, text, now.Location()); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf(`want a duration like 10m or 2d, today, yesterday, or a time like "2026-11-27 10:00" or 2026-11-27T10:00:00Z, but got %q`, text)
}

// ago parses a duration, which may be a whole number of days.
func ago(text string) (time.Duration, bool) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * 24 * time.Hour, err == nil
	}
	d, err := time.ParseDuration(text)
	return d, err == nil && d >= 0
}
