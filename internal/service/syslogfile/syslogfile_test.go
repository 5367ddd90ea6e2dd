//go:build unix

package syslogfile

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
)

// host is a machine with files in /var/log.
type host struct {
	t    *testing.T
	tree files.Tree
	ring atomic.Value // what logread prints; empty if it does not exist
}

func newHost(t *testing.T) *host {
	h := &host{t: t, tree: files.Tree(t.TempDir())}
	if err := os.MkdirAll(h.tree.Path("/var/log/web"), 0o755); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *host) log() Log {
	return Log{Name: "web", File: "/var/log/web/web.log", Machine: manage.Machine{
		Tree: h.tree,
		Run: func(context.Context, string, ...string) (string, error) {
			if text, ok := h.ring.Load().(string); ok {
				return text, nil
			}
			return "", exec.ErrNotFound
		},
	}}
}

func (h *host) add(file string, lines ...string) {
	h.t.Helper()
	f, err := os.OpenFile(h.tree.Path(file), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err == nil {
		_, err = f.WriteString(strings.Join(lines, ""))
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

// record returns a line of syslog whose time is now plus ago.
func record(ago time.Duration, tag, text string) string {
	return time.Now().Add(-ago).Format(time.RFC3339) + " host " + tag + "[1]: " + text + "\n"
}

// shown returns lines as they are shown.
func shown(lines ...string) string {
	var b strings.Builder
	for _, line := range lines {
		at, text, ok := strings.Cut(line, " host web[1]: ")
		if !ok {
			b.WriteString("- INFO  " + line)
			continue
		}
		t, _ := time.Parse(time.RFC3339, at)
		b.WriteString(t.Local().Format("2006-01-02T15:04:05.000Z07:00") + " INFO  " + text)
	}
	return b.String()
}

func (h *host) shows(q manage.LogQuery, want ...string) {
	h.t.Helper()
	var b bytes.Buffer
	if err := h.log().Write(h.t.Context(), q, &b); err != nil || b.String() != shown(want...) {
		h.t.Errorf("%+v: it shows\n%s%v, want\n%s", q, b.String(), err, shown(want...))
	}
}

func TestWrite_NewerOfRecordsAndOutputIsLast(t *testing.T) {
	h := newHost(t)
	one, two := record(2*time.Hour, "web", "one"), record(time.Hour, "web", "two")
	h.add("/var/log/syslog", record(3*time.Hour, "cron", "web[1]: x"), one, record(time.Hour, "webhook", "y"), two)
	h.shows(manage.LogQuery{}, one, two)
	h.add("/var/log/web/web.log", "panic: the moon is gone\n", "goroutine 1 [running]:\n")
	h.shows(manage.LogQuery{}, one, two, "panic: the moon is gone\n", "goroutine 1 [running]:\n")
	h.shows(manage.LogQuery{LogOptions: service.LogOptions{Lines: 1}}, "goroutine 1 [running]:\n")
	h.shows(manage.LogQuery{LogOptions: service.LogOptions{Lines: 3}}, two, "panic: the moon is gone\n", "goroutine 1 [running]:\n")

	three := record(-time.Minute, "web", "three") // the last word
	h.add("/var/log/syslog", three)
	h.shows(manage.LogQuery{}, "panic: the moon is gone\n", "goroutine 1 [running]:\n", one, two, three)
	h.shows(manage.LogQuery{LogOptions: service.LogOptions{Lines: 1}}, three)
	h.shows(manage.LogQuery{LogOptions: service.LogOptions{Lines: 4}}, "goroutine 1 [running]:\n", one, two, three)
	h.shows(manage.LogQuery{LogOptions: service.LogOptions{Lines: 100}}, "panic: the moon is gone\n", "goroutine 1 [running]:\n", one, two, three)
}

func TestWrite_LineWithoutEnd(t *testing.T) {
	h := newHost(t)
	one := record(-time.Minute, "web", "one")
	h.add("/var/log/web/web.log", "cut")
	h.add("/var/log/messages", one[:len(one)-1])
	h.shows(manage.LogQuery{}, "cut\n", one)
	h.shows(manage.LogQuery{LogOptions: service.LogOptions{Lines: 2}}, "cut\n", one)
}

func TestWrite_TakesFileWithNewestRecord(t *testing.T) {
	h := newHost(t)
	stale, one, two := record(1000*time.Hour, "web", "stale"), record(2*time.Hour, "web", "one"), record(time.Hour, "web", "two")
	h.add("/var/log/daemon.log", stale) // of a syslogd that has been replaced
	h.add("/var/log/syslog", one, two)
	h.add("/var/log/messages", two) // not those of level info
	h.shows(manage.LogQuery{}, one, two)
	if err := os.Remove(h.tree.Path("/var/log/syslog")); err != nil {
		t.Fatal(err)
	}
	h.shows(manage.LogQuery{}, two)
}

func TestWrite_ReadsLastRotatedFile(t *testing.T) {
	for _, number := range []string{".0", ".1"} {
		h := newHost(t)
		one, two := record(2*time.Hour, "web", "one"), record(time.Hour, "web", "two")
		h.add("/var/log/messages"+number, one)
		h.add("/var/log/messages", record(time.Hour, "cron", "x"))
		h.shows(manage.LogQuery{}, one)
		h.add("/var/log/messages", two)
		h.shows(manage.LogQuery{}, one, two)
		h.shows(manage.LogQuery{LogOptions: service.LogOptions{Lines: 1}}, two)
	}
}

func TestWrite_ReadsMemoryOfSyslogdWithoutFile(t *testing.T) {
	h := newHost(t)
	one := record(time.Hour, "web", "one")
	h.ring.Store(record(time.Hour, "cron", "x") + one)
	h.add("/var/log/messages", record(time.Hour, "cron", "x"))
	h.shows(manage.LogQuery{}, one)
	h.add("/var/log/web/web.log", "panic\n")
	h.shows(manage.LogQuery{}, one, "panic\n")
	two := record(time.Hour, "web", "two")
	h.add("/var/log/messages", two)
	h.shows(manage.LogQuery{}, two, "panic\n")
}

func TestWrite_SaysIfNothingIsLogged(t *testing.T) {
	h := newHost(t)
	h.add("/var/log/syslog", record(time.Hour, "cron", "web[1]: x"))
	var b bytes.Buffer
	err := h.log().Write(t.Context(), manage.LogQuery{}, &b)
	if err == nil || err.Error() != "there is no /var/log/web/web.log yet, and nothing of web in syslog: the service has not been started, or has logged nothing" {
		t.Error(err)
	}
	h.add("/var/log/web/web.log")
	h.shows(manage.LogQuery{})
}

func TestWrite_DoesNotFollowLinkAsLog(t *testing.T) {
	h := newHost(t)
	h.add("/shadow", "secret\n")
	one := record(time.Hour, "web", "one")
	h.add("/var/log/syslog", one)
	if err := os.Symlink("../../../shadow", h.tree.Path("/var/log/web/web.log")); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	err := h.log().Write(t.Context(), manage.LogQuery{}, &b)
	if err == nil || !strings.Contains(err.Error(), "is a link") || b.String() != shown(one) {
		t.Errorf("%q, %v", b.String(), err)
	}
}

// page is a bytes.Buffer for two goroutines.
type page struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.Write(b)
}

func (p *page) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.String()
}

// take returns what was written since the last call.
func (p *page) take() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := p.b.String()
	p.b.Reset()
	return text
}

// following follows a log. see returns what it has shown since the last call.
func (h *host) following(q manage.LogQuery, do func(see func(want ...string))) {
	h.t.Helper()
	synctest.Test(h.t, func(t *testing.T) {
		q.Follow = true
		ctx, cancel := context.WithCancel(t.Context())
		var p page
		done := make(chan error, 1)
		go func() { done <- h.log().Write(ctx, q, &p) }()
		do(func(want ...string) {
			t.Helper()
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if got := p.take(); got != shown(want...) {
				t.Errorf("it shows %q, not %q", got, shown(want...))
			}
		})
		cancel()
		if err := <-done; err != nil {
			t.Errorf("got %v", err)
		}
	})
}

func TestWrite_FollowsRecordsAndOutput(t *testing.T) {
	h := newHost(t)
	rec := func(text string) string { return record(0, "web", text) }
	first, last := rec("first"), rec("last")
	h.add("/var/log/syslog", first, last)
	h.add("/var/log/web/web.log", "pan")
	if err := os.Chtimes(h.tree.Path("/var/log/web/web.log"), noon, noon); err != nil {
		t.Fatal(err)
	}
	h.following(manage.LogQuery{LogOptions: service.LogOptions{Lines: 1}}, func(see func(...string)) {
		see(last)
		more := rec("more")
		h.add("/var/log/syslog", record(0, "cron", "web[1]: x"), more[:20])
		see()
		h.add("/var/log/syslog", more[20:])
		see(more)
		h.add("/var/log/web/web.log", "ic\n")
		see("panic\n")

		// As with logrotate, syslogd writes to the old file until it is told.
		if err := os.Rename(h.tree.Path("/var/log/syslog"), h.tree.Path("/var/log/syslog.1")); err != nil {
			t.Fatal(err)
		}
		see()
		old, fresh := rec("old"), rec("fresh")
		h.add("/var/log/syslog.1", old)
		h.add("/var/log/syslog", fresh)
		see(old, fresh)
	})
}

func TestWrite_FollowsFirstPlaceThatIsLoggedTo(t *testing.T) {
	h := newHost(t)
	h.add("/var/log/syslog", record(time.Hour, "cron", "web[1]: x"))
	h.add("/var/log/messages", record(time.Hour, "cron", "web[1]: x"))
	h.following(manage.LogQuery{}, func(see func(...string)) {
		see()
		one, two := record(0, "web", "one"), record(0, "web", "two")
		h.add("/var/log/daemon.log", one) // it is new
		h.add("/var/log/syslog", one)
		h.add("/var/log/messages", one)
		see(one)
		h.add("/var/log/syslog", two)
		h.add("/var/log/daemon.log", two)
		see(two)
		h.add("/var/log/messages", one)
		see()
	})
}

func TestWrite_FollowsMemoryOfSyslogd(t *testing.T) {
	h := newHost(t)
	one, two, three := record(time.Hour, "web", "one"), record(0, "web", "two"), record(0, "web", "three")
	other := record(0, "cron", "x")
	h.ring.Store(one + other + two)
	h.following(manage.LogQuery{LogOptions: service.LogOptions{Lines: 1}}, func(see func(...string)) {
		see(two)
		h.ring.Store(other + two + other + three) // the oldest goes
		see(three)
		h.ring.Store(three + three) // the same once more
		see(three)
		h.ring.Store(other)
		see()
		h.ring.Store(two) // another syslogd
		see(two)
	})
}

func TestWrite_IgnoresPlaceBehindLink(t *testing.T) {
	h := newHost(t)
	h.add("/var/log/real", record(time.Hour, "web", "one"))
	if err := os.Symlink("real", filepath.Join(string(h.tree), "var/log/syslog")); err != nil {
		t.Fatal(err)
	}
	two := record(time.Hour, "web", "two")
	h.add("/var/log/messages", two)
	h.shows(manage.LogQuery{}, two)
}
