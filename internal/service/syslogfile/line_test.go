package syslogfile

import (
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.Local)

func TestMine_DecidesByHead(t *testing.T) {
	day := time.Date(2026, 1, 2, 15, 4, 5, 0, time.Local)
	zone := time.FixedZone("", 3600)
	for line, want := range map[string]time.Time{
		"Jan  2 15:04:05 host web[12]: started":                                        day,
		"Jan  2 15:04:05 host web[12]:     indented":                                   day,
		"Jan  2 15:04:05 host web[12]:":                                                day,
		"Jan  2 15:04:05 web[12]: busybox syslogd -S":                                  day,
		"Jan  2 15:04:05 host daemon.info web[12]: busybox syslogd":                    day,
		"Jan  2 15:04:05 host.example.info daemon.info web[12]: busybox syslogd":       day,
		"Jan  2 15:04:05.250000 host daemon.info web[12]: busybox, precise":            day.Add(250 * time.Millisecond),
		"Jan  2 15:04:05 <daemon.info> host web[12]: FreeBSD syslogd -v -v":            day,
		"Jan  2 15:04:05 <3.6> host web[12]: FreeBSD syslogd -v":                       day,
		"2026-01-02T15:04:05.123456+01:00 host web[12]: rsyslog":                       time.Date(2026, 1, 2, 15, 4, 5, 123456000, zone),
		"2026-01-02T14:04:05Z host web[12]: rsyslog":                                   time.Date(2026, 1, 2, 14, 4, 5, 0, time.UTC),
		"<30>1 2026-01-02T15:04:05.123456+01:00 host web 12 - - RFC 5424":              time.Date(2026, 1, 2, 15, 4, 5, 123456000, zone),
		"Fri Jan  2 15:04:05 2026 daemon.info web[12]: OpenWrt":                        day,
		"Dec 31 23:59:59 host web[12]: of last year":                                   time.Date(2025, 12, 31, 23, 59, 59, 0, time.Local),
		"Mar  1 12:00:09 host web[12]: by a clock that is a little ahead":              noon.Add(9 * time.Second),
		"Feb 29 01:00:00 host web[12]: a day that this year has not, in syslog at all": time.Date(2026, 3, 1, 1, 0, 0, 0, time.Local),
	} {
		if m, mine := Mine([]byte(line+"\n"), "web", noon); !mine || !m.At.Equal(want) || m.PID != 12 || m.Tag != "web" {
			t.Errorf("%s: %v, %+v; want %v", line, mine, m, want)
		}
	}
}

// others are lines of other programs whose text looks like a line of the service.
var others = []string{
	"Jan  2 15:04:05 host evil[7]: web[12]: started",
	"Jan  2 15:04:05 host evil: web[12]: started",
	"Jan  2 15:04:05 host daemon.info evil: web[12]: started",
	"Jan  2 15:04:05 host daemon.info evil[7]: web[12]: started",
	"Jan  2 15:04:05 evil: web[12]: started",
	"Jan  2 15:04:05 evil: daemon.info web[12]: started",
	"Jan  2 15:04:05 host evil web[12]: started",
	"Jan  2 15:04:05 host kernel: [    1.000000] web[12]: started",
	"Jan  2 15:04:05 host web-b[12]: started",
	"Jan  2 15:04:05 host xweb[12]: started",
	"Jan  2 15:04:05 host web[12]started",
	"Jan  2 15:04:05 host web[12x]: started",
	"Jan  2 15:04:05 host web[]: started",
	"Jan  2 15:04:05 host web: started",
	"Jan  2 15:04:05 host evil[7]: Jan  2 15:04:05 host web[12]: started",
	"Jan 32 15:04:05 host web[12]: started",
	"2026-01-02T15:04:05+01:00 host evil[7]: web[12]: started",
	"2026-13-02T15:04:05+01:00 host web[12]: started",
	"2026-01-02T15:04:05 host web[12]: started",
	"<30>1 2026-01-02T15:04:05+01:00 host evil 7 - - web[12]: started",
	"<30>1 2026-01-02T15:04:05+01:00 web 12 - - started",
	"<x>1 2026-01-02T15:04:05+01:00 host web 12 - - started",
	"<30>1 2026-01-02T15:04:05+01:00 host web x - - started",
	"Fri Jan  2 15:04:05 2026 daemon.info evil[7]: web[12]: started",
	"Fri Jan  2 15:04:05 2026 kern.info kernel: web[12]: started",
	"web[12]: started",
	"host web[12]: started",
	" web[12]: ",
	"web",
	"",
}

func TestMine_IgnoresOtherPrograms(t *testing.T) {
	for _, line := range others {
		if m, mine := Mine([]byte(line+"\n"), "web", noon); mine {
			t.Errorf("%s: it is taken for the service's, %+v", line, m)
		}
	}
}

func FuzzMine_TextOfAnotherProgram(f *testing.F) {
	for _, line := range others {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ReplaceAll(text, "\n", " ")
		for _, head := range []string{
			"Jan  2 15:04:05 host evil[7]: ", "Jan  2 15:04:05 host daemon.info evil[7]: ", "Jan  2 15:04:05 evil[7]: ",
			"Jan  2 15:04:05 <daemon.info> host evil: ",
			"2026-01-02T15:04:05+01:00 host evil: ", "<30>1 2026-01-02T15:04:05+01:00 host evil 7 - - ", "Fri Jan  2 15:04:05 2026 daemon.info evil[7]: ",
		} {
			if _, mine := Mine([]byte(head+text), "web", noon); mine {
				t.Errorf("%q is taken for the service's", head+text)
			}
		}
		_, _ = Mine([]byte(text), "web", noon)
	})
}
