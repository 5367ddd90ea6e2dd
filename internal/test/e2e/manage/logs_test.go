//go:build linux

package manage

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/test/e2e/manage/scenario"
	"github.com/go-glidepath/glidepath/internal/test/e2e/manage/talk"
	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

// TestLogs is the command logs on hosts that keep their logs in different ways: what it
// says is the same on all.
func TestLogs(t *testing.T) {
	testbed.Require(t)
	places := []string{"/etc", "/var", "/usr/local"}
	t.Run("systemd", func(t *testing.T) {
		b := &systemd{unix{machine: boot(t, testbed.Boot), manager: "systemd", places: places}}
		b.settled = func() { b.systemctl(t, "daemon-reload") }
		logsAreChosen(t, b)
	})
	for _, d := range syslogds {
		t.Run(d.name, func(t *testing.T) {
			u := unix{machine: boot(t, d.boot), places: places}
			d.set(t, &u)
			logsAreChosen(t, d.bed(u))
		})
	}
}

// texts are the lines of logs without the times, each of which must be one.
func texts(t *testing.T, said string) (texts []string) {
	t.Helper()
	for line := range strings.Lines(said) {
		line = strings.TrimSuffix(line, "\n")
		at, text, _ := strings.Cut(line, " ")
		if _, err := time.Parse("2006-01-02T15:04:05.000Z07:00", at); err == nil {
			line = text
		} else if !strings.HasPrefix(line, "    ") {
			t.Errorf("logs has a line without a time: %q", line)
		}
		texts = append(texts, line)
	}
	return texts
}

func logsAreChosen(t *testing.T, b scenario.Bed) {
	s := talkative(t, b)
	s.Do(0, "reload")
	last := " INFO  reloaded\n"
	if b.Manager() == "systemd" {
		last = " INFO  Reloaded " // it says so itself
	}
	all := texts(t, eventually(t, "logs", func() string { return s.Do(0, "logs") }, last))
	whole := "ERROR talks at length long=" + strings.Repeat("x", talk.Long)
	tail := []string{whole, "    text:", "        one", "        <0>two", "            three"}
	for _, test := range []struct {
		flags string
		want  []string
	}{
		{"-n 1 -g ^reloaded|^talks", []string{"INFO  reloaded"}},
		{"-n 2 -g ^reloaded|^talks", append(slices.Clone(tail), "INFO  reloaded")},
		{"-n 2 --level error", append([]string{"ERROR talks error"}, tail...)},
		{"-n 3 --level warn", append([]string{"WARN  talks warn", "ERROR talks error"}, tail...)},
		{"--level info -g ^talks.[iw]", []string{"INFO  talks info", "WARN  talks warn"}},
		{"--grep ^talks.[diw]", []string{"DEBUG talks debug", "INFO  talks info", "WARN  talks warn"}},
		{"--grep ^talks.[diw] -n 1", []string{"WARN  talks warn"}},
		{"-g x{1000} --since 1h", tail},
		{"-g two --since yesterday", tail},
		{"--since 2d --level debug", all},
		{"--since 2099-01-01", nil},
	} {
		out := s.Run(scenario.Admin, append([]string{"logs"}, strings.Fields(test.flags)...)...)
		if got := texts(t, out.Stdout); out.Code != 0 || !slices.Equal(got, test.want) {
			t.Errorf("logs %s: code %d, %s\n%s\nwant\n%s", test.flags, out.Code, out.Stderr, strings.Join(got, "\n"), strings.Join(test.want, "\n"))
		}
		if want := s.Name + ": no matching log records\n"; test.want == nil && out.Stderr != want {
			t.Errorf("logs %s says %q, want %q", test.flags, out.Stderr, want)
		}
	}
	logsAreJSON(t, s)
	logsBegin(t, s)
}

// logsAreJSON has the records with their keys, each in a line.
func logsAreJSON(t *testing.T, s *scenario.Service) {
	t.Helper()
	said := s.Do(0, "logs", "--json", "-n", "2", "--level", "error")
	var all []map[string]any
	for line := range strings.Lines(said) {
		var r map[string]any
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Errorf("%v in %s", err, line)
		}
		if at, err := time.Parse(time.RFC3339Nano, fmt.Sprint(r["time"])); err != nil || time.Since(at) > time.Hour {
			t.Errorf("the time of %s is %v, %v", line, at, err)
		}
		if !strings.Contains(fmt.Sprint(r["caller"]), "echo.go:") {
			t.Errorf("the caller of %s is %v", line, r["caller"])
		}
		delete(r, "time")
		delete(r, "caller")
		all = append(all, r)
	}
	lines := strings.ReplaceAll(talk.Lines, "\t", "    ") // as text has it
	if len(all) == 2 && all[1]["text"] == talk.Lines {
		lines = talk.Lines
	}
	want := []map[string]any{
		{"level": "error", "msg": "talks error"},
		{"level": "error", "msg": "talks at length", "text": lines, "long": strings.Repeat("x", talk.Long)},
	}
	if fmt.Sprint(all) != fmt.Sprint(want) {
		t.Errorf("logs --json says\n%s", said)
	}
}

// logsBegin has only what was logged later.
func logsBegin(t *testing.T, s *scenario.Service) {
	t.Helper()
	since := time.Now().Truncate(time.Second).Add(time.Second) // syslog knows no less
	count := func(flags ...string) int {
		return strings.Count(s.Do(0, append([]string{"logs", "-n", "0", "-g", "^talks error"}, flags...)...), "\n")
	}
	before := count()
	var later int
	scenario.Eventually(t, func() string {
		s.Do(0, "reload")
		if later = count("--since", since.Format(time.RFC3339)); later == 0 {
			return "nothing was logged since"
		}
		return ""
	})
	if all := count("--since", "1h"); all < before+later || before == 0 {
		t.Errorf("%d records before, %d later, %d in all", before, later, all)
	}
}
