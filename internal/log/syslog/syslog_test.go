//go:build unix

package syslog

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/logevent"
)

// syslogd listens for datagrams at path.
func syslogd(t testing.TB, path string) *net.UnixConn {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func receive(t testing.TB, conn net.Conn) string {
	t.Helper()
	b := make([]byte, 64<<10)
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
	n, err := conn.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

func open(t testing.TB, path string) *Core {
	t.Helper()
	c, err := New(Options{Tag: "web", Socket: path}, zap.DebugLevel)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(t.Context()) })
	return c
}

func socket(t testing.TB) string { return filepath.Join(t.TempDir(), "log") }

var at = time.Date(2026, 1, 2, 15, 4, 5, 0, time.Local)

func write(t testing.TB, c zapcore.Core, level zapcore.Level, msg string, fields ...zap.Field) {
	t.Helper()
	if err := c.Write(zapcore.Entry{Level: level, Time: at, Message: msg}, fields); err != nil {
		t.Error(err)
	}
}

var head = fmt.Sprintf("Jan  2 15:04:05 web[%d]: ", os.Getpid())

// chatty logs when its text is requested.
type chatty struct{ log func() }

func (c chatty) String() string { c.log(); return "text" }

func TestWrite_FieldMayLogWhileItIsEncoded(t *testing.T) {
	path := socket(t)
	conn, c := syslogd(t, path), open(t, path)
	write(t, c, zap.InfoLevel, "outer", zap.Stringer("k", chatty{func() { write(t, c, zap.InfoLevel, "inner") }}))
	for _, want := range []string{"inner", "outer k=text"} {
		if got := receive(t, conn); got != "<30>"+head+want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestWrite_MessagesOfARecordStayTogether(t *testing.T) {
	path := socket(t)
	conn, c := syslogd(t, path), open(t, path)
	const lines = 2000 // more than fit into a socket's buffer
	write(t, c, zap.ErrorLevel, "giving up", zap.String("stack", strings.Repeat("a line\n", lines)))
	write(t, c, zap.InfoLevel, "next")
	write(t, c, zap.InfoLevel, "stopping", logevent.Stopping.Field())
	for i := range lines + 4 {
		want := "<27>" + head + "        a line"
		switch i {
		case 0:
			want = "<27>" + head + "ERROR giving up"
		case 1:
			want = "<27>" + head + "    stack:"
		case lines + 2:
			want = "<30>" + head + "stopping" // before the waiting records, but not between the messages of one
		case lines + 3:
			want = "<30>" + head + "next"
		}
		if got := receive(t, conn); got != want {
			t.Fatalf("message %d is %q, want %q", i, got, want)
		}
	}
	if c.Lost() != 0 {
		t.Errorf("%d lost", c.Lost())
	}
}

func TestWrite_Format(t *testing.T) {
	path := socket(t)
	conn, c := syslogd(t, path), open(t, path)
	for level, pri := range map[zapcore.Level]string{
		zap.DebugLevel: "<31>DEBUG ", zap.InfoLevel: "<30>", zap.WarnLevel: "<28>WARN ", zap.ErrorLevel: "<27>ERROR ",
		zap.DPanicLevel: "<26>PANIC ", zap.PanicLevel: "<26>PANIC ", zap.FatalLevel: "<26>FATAL ",
	} {
		pri, word := pri[:len("<30>")], pri[len("<30>"):]
		write(t, c, level, "request failed", zap.String("path", "/a b"), zap.Error(errors.New("no\x1b")))
		if got, want := receive(t, conn), pri+head+word+`request failed path="/a b" error=`+`"no\x1b"`; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	with := c.With([]zap.Field{zap.Int("a", 1)})
	write(t, with, zap.InfoLevel, "m", zap.Int("b", 2))
	if got := receive(t, conn); got != "<30>"+head+"m a=1 b=2" {
		t.Errorf("got %s", got)
	}
}

func TestWrite_TimeIsLocal(t *testing.T) {
	local := time.Local
	defer func() { time.Local = local }()
	time.Local = time.FixedZone("west", -5*60*60)
	path := socket(t)
	conn, c := syslogd(t, path), open(t, path)
	stamp := func(at time.Time) string {
		if err := c.Write(zapcore.Entry{Time: at, Message: "m"}, nil); err != nil {
			t.Error(err)
		}
		got := receive(t, conn)
		return got[len("<30>") : len("<30>")+len(time.Stamp)]
	}
	utc := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, at := range []time.Time{utc, utc.In(time.FixedZone("east", 9*60*60)), utc.Local()} {
		if got := stamp(at); got != "Jan  1 22:04:05" {
			t.Errorf("%v: got %s", at, got)
		}
	}
	before := time.Now().Truncate(time.Second)
	got, err := time.ParseInLocation(time.DateTime+" "+time.Stamp, before.Format(time.DateTime)+" "+stamp(time.Time{}), time.Local)
	if after := time.Now(); err != nil || got.Before(before) || got.After(after) {
		t.Errorf("without a time: %v, %v, want %v", got, err, before)
	}
}

func TestCore_Level(t *testing.T) {
	path := socket(t)
	conn := syslogd(t, path)
	level := zap.NewAtomicLevelAt(zap.WarnLevel)
	c, err := New(Options{Tag: "we b/ü\n", Socket: path}, level)
	if err != nil {
		t.Fatal(err)
	}
	log := zap.New(c)
	log.Info("not yet")
	level.SetLevel(zap.InfoLevel)
	log.Named("sub").Info("now")
	if got := receive(t, conn); !regexp.MustCompile(`^<30>[A-Z][a-z]{2} [ 1-3][0-9] \d\d:\d\d:\d\d we_b___\[\d+\]: sub: now$`).MatchString(got) {
		t.Errorf("got %q", got)
	}
	if c.Level() != zap.InfoLevel {
		t.Errorf("the level is %v", c.Level())
	}
	if err := errors.Join(log.Sync(), c.Close(t.Context()), c.Close(t.Context())); err != nil {
		t.Error(err)
	}
	if err := c.Write(zapcore.Entry{}, nil); err != nil || c.Lost() != 0 {
		t.Errorf("after Close: %v, %d lost", err, c.Lost())
	}
}

func TestTag(t *testing.T) {
	for name, want := range map[string]string{"web-1.2_x": "web-1.2_x", "a b[1]: c": "a_b_1___c", strings.Repeat("x", 100): strings.Repeat("x", maxTag)} {
		if got := tag(name); got != fmt.Sprintf("%s[%d]: ", want, os.Getpid()) {
			t.Errorf("%q gives %q", name, got)
		}
	}
	if got := tag(""); !strings.HasPrefix(got, "syslog.test[") {
		t.Errorf("without a name: %q", got)
	}
}

func TestWrite_LongRecordsBecomeSeveralMessages(t *testing.T) {
	path := socket(t)
	conn, c := syslogd(t, path), open(t, path)
	write(t, c, zap.InfoLevel, "two\n<3>lines", zap.String("text", "a\n\tb"))
	for _, want := range []string{"two", "    <3>lines", "    text:", "        a", "            b"} {
		if got := receive(t, conn); got != "<30>"+head+want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	const n = 4 << 10 // no more than fit into a socket's buffer
	long := strings.Repeat("é", n)
	write(t, c, zap.InfoLevel, "m", zap.String("k", long))
	var whole string
	for !strings.HasSuffix(whole, "é.") {
		if strings.Count(whole, "é") == n {
			break
		}
		got := receive(t, conn)
		body, ok := strings.CutPrefix(got, "<30>"+head)
		if !ok || len(got) > maxMessage || strings.ToValidUTF8(got, "") != got || whole != "" && !strings.HasPrefix(body, "    ") {
			t.Fatalf("got %d bytes: %q", len(got), got)
		}
		whole += strings.TrimPrefix(body, "    ")
	}
	if whole != "m k="+long {
		t.Errorf("%d bytes arrive", len(whole))
	}
}

func TestWrite_CutsVeryLongRecords(t *testing.T) {
	path := socket(t)
	conn, c := syslogd(t, path), open(t, path)
	got := make(chan []string)
	go func() {
		var all []string
		for {
			s := receive(t, conn)
			all = append(all, s)
			if strings.Contains(s, "next") {
				got <- all
				return
			}
		}
	}()
	write(t, c, zap.InfoLevel, "m", zap.String("a", strings.Repeat("é", 30<<10)), zap.String("b", strings.Repeat("é", 30<<10)))
	write(t, c, zap.InfoLevel, "next")
	all := <-got
	last := all[len(all)-2]
	if !strings.HasSuffix(last, "    …(122888 bytes)") || len(all) > 80 || c.Lost() != 0 {
		t.Errorf("%d messages, the last is %s", len(all), last)
	}
	for _, s := range all {
		if strings.ToValidUTF8(s, "") != s {
			t.Errorf("not UTF-8: %q", s)
		}
	}
}

func TestWrite_StreamSeparatesMessagesByNewlines(t *testing.T) {
	path := socket(t)
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	c := open(t, path)
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	write(t, c, zap.InfoLevel, "one")
	write(t, c, zap.InfoLevel, "two")
	want := "<30>" + head + "one\n<30>" + head + "two\n"
	var got string
	for len(got) < len(want) {
		got += receive(t, conn)
	}
	if got != want {
		t.Errorf("got %q", got)
	}

	// Wait for a new connection when the old one is gone.
	_ = conn.Close()
	c.w.out.dialed = time.Time{}
	write(t, c, zap.InfoLevel, "three")
	conn, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if got := receive(t, conn); got != "<30>"+head+"three\n" || c.Lost() != 0 {
		t.Errorf("got %q, %d lost", got, c.Lost())
	}

	// No message is interrupted, however much a hanging stream takes.
	for range 8000 {
		write(t, c, zap.InfoLevel, "fill", zap.String("x", strings.Repeat("x", 900)))
	}
	if c.Lost() == 0 {
		t.Error("nothing is lost")
	}
	if c.Drain(t.Context()) == nil || c.Close(t.Context()) == nil {
		t.Error("nobody reads, and the error is nil")
	}
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
	whole := regexp.MustCompile(`^<30>` + regexp.QuoteMeta(head) + `fill x=x{900}$`)
	b := make([]byte, 16<<20)
	n := 0
	for {
		m, err := conn.Read(b[n:])
		if n += m; err != nil {
			break
		}
	}
	lines := strings.Split(string(b[:n]), "\n")
	for _, line := range lines[:len(lines)-1] {
		if !whole.MatchString(line) {
			t.Fatalf("got %q", line)
		}
	}
}

func TestWrite_NoPartialMessageOnANewConnection(t *testing.T) {
	path := socket(t)
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	c := open(t, path)
	first, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	for c.w.queue.Waiting() == 0 { // log many messages each time, so that one record is sent in part
		write(t, c, zap.InfoLevel, "fill", zap.String("x", strings.Repeat("x", 60_000)))
	}
	_ = first.Close()
	second, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	write(t, c, zap.InfoLevel, "next")
	got := ""
	for !strings.HasSuffix(got, "next\n") {
		got += receive(t, second)
	}
	for line := range strings.Lines(got) {
		if !strings.HasPrefix(line, "<30>"+head) && !strings.Contains(line, "1 log record was lost: syslog did not take it in time") {
			t.Errorf("got %q", line)
		}
	}
	if c.Lost() > 1 || c.Untold() != 0 {
		t.Errorf("%d lost, %d untold", c.Lost(), c.Untold())
	}
}

func TestWrite_HangingSyslogDelaysNoCallAndLossesAreReported(t *testing.T) {
	path := socket(t)
	conn, c := syslogd(t, path), open(t, path)
	const calls = 60_000
	for range calls {
		write(t, c, zap.InfoLevel, "fill")
	}
	lost := c.Lost()
	if lost == 0 {
		t.Fatal("nothing is lost")
	}
	for range calls - lost {
		if got := receive(t, conn); !strings.HasSuffix(got, "fill") {
			t.Fatalf("got %q", got)
		}
	}
	want := fmt.Sprintf("<28>%sWARN %d log records were lost: syslog did not take them in time lost=%d lost_in_all=%d", head, lost, lost, lost)
	if got := receive(t, conn); got[len("<28>Jan  2 15:04:05"):] != want[len("<28>Jan  2 15:04:05"):] || !strings.HasPrefix(got, "<28>") {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	write(t, c, zap.InfoLevel, "after")
	if got := receive(t, conn); !strings.HasSuffix(got, "after") || c.Lost() != lost || c.Untold() != 0 {
		t.Errorf("got %q, %d lost, %d untold", got, c.Lost(), c.Untold())
	}
}

func TestWrite_ReconnectsAndLosesNothing(t *testing.T) {
	path := socket(t)
	conn, c := syslogd(t, path), open(t, path)
	_ = conn.Close()
	write(t, c, zap.InfoLevel, "one")
	write(t, c, zap.InfoLevel, "two")
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	conn = syslogd(t, path)
	for _, want := range []string{"one", "two"} {
		if got := receive(t, conn); !strings.HasSuffix(got, want) {
			t.Errorf("got %q, want %s", got, want)
		}
	}
	if c.Lost() != 0 {
		t.Errorf("%d lost", c.Lost())
	}
}

func TestClose_ErrorReportsLossesWithoutASyslog(t *testing.T) {
	path := socket(t)
	conn, c := syslogd(t, path), open(t, path)
	_ = conn.Close()
	write(t, c, zap.InfoLevel, "one")
	if c.Drain(t.Context()) == nil {
		t.Error("Drain has no error")
	}
	if err := c.Close(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "1 log record was lost: syslog did not take it in time: ") {
		t.Errorf("Close: %v", err)
	}
}

func TestNew_FailsWithoutASyslog(t *testing.T) {
	if c, err := New(Options{Socket: socket(t)}, zap.InfoLevel); c != nil || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, %v", c, err)
	}
	path := socket(t)
	syslogd(t, path)
	w, err := newWriter([]string{socket(t), path}, "web", maxMessage)
	if err != nil {
		t.Fatalf("the second socket: %v", err)
	}
	if err := w.queue.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func FuzzWrite(f *testing.F) {
	f.Add("a\n<0>b", "k\n", "v\x00\x1b\xff")
	f.Add("", "=", "\u2028\u202e\r\n\n")
	path := socket(f)
	conn, c := syslogd(f, path), open(f, path)
	f.Fuzz(func(t *testing.T, msg, key, value string) {
		const end = "THE END"
		got := make(chan []string, 1)
		go func() {
			var all []string
			for {
				s := receive(t, conn)
				all = append(all, s)
				if strings.HasSuffix(s, "]: "+end) {
					got <- all
					return
				}
			}
		}()
		write(t, c, zap.InfoLevel, msg, zap.String(key, value), zap.Strings(key, []string{value}), zap.Reflect(key, value), zap.Namespace(key), zap.String(value, key))
		write(t, c, zap.InfoLevel, end)
		for i, s := range <-got {
			body, ok := strings.CutPrefix(s, "<30>"+head)
			if !ok || i > 0 && body != end && !strings.HasPrefix(body, "    ") || len(s) > maxMessage {
				t.Fatalf("message %d is %q", i, s)
			}
			for _, r := range s {
				if !unicode.IsGraphic(r) {
					t.Fatalf("%q is in %q", r, s)
				}
			}
		}
	})
}

func BenchmarkRecord(b *testing.B) {
	path := socket(b)
	conn, c := syslogd(b, path), open(b, path)
	go func() {
		p := make([]byte, 4096)
		for {
			if _, err := conn.Read(p); err != nil {
				return
			}
		}
	}()
	log := zap.New(c)
	b.ReportAllocs()
	for b.Loop() {
		log.Info("request served", zap.String("method", "GET"), zap.String("path", "/"), zap.Int("status", 200))
	}
}
