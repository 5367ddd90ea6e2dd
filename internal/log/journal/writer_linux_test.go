package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/sys/unix"

	"github.com/go-glidepath/glidepath/internal/log/logevent"
	"github.com/go-glidepath/glidepath/internal/test/journaltest"
)

// soon is how long a test waits before it fails, even on a busy machine.
const soon = time.Minute

// shortest returns the shortest of several durations of f, as on an idle machine.
func shortest(f func()) time.Duration {
	least := soon
	for range 10 {
		begun := time.Now()
		f()
		least = min(least, time.Since(begun))
	}
	return least
}

// journald is a socket at which a test acts as journald.
type journald struct {
	t    *testing.T
	conn *net.UnixConn
	path string
	buf  []byte
}

func listen(t *testing.T) *journald {
	t.Helper()
	return listenAt(t, filepath.Join(t.TempDir(), "socket"))
}

func listenAt(t *testing.T, path string) *journald {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &journald{t: t, conn: conn, path: path, buf: make([]byte, 16<<20)}
}

func (j *journald) core() *Core {
	j.t.Helper()
	c, err := New(Options{Socket: j.path, Identifier: "web"}, zap.InfoLevel)
	if err != nil {
		j.t.Fatal(err)
	}
	j.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		_ = c.Close(ctx)
		goleak.VerifyNone(j.t, goleak.IgnoreCurrent())
	})
	return c
}

// next returns the next record. Large ones arrive as files, which must be sealed as
// journald requires.
func (j *journald) next() []journaltest.Field {
	j.t.Helper()
	fields, err := j.read(soon)
	if err != nil {
		j.t.Fatal(err)
	}
	return fields
}

func (j *journald) read(patience time.Duration) ([]journaltest.Field, error) {
	buf, oob := j.buf, make([]byte, 100)
	_ = j.conn.SetReadDeadline(time.Now().Add(patience))
	n, oobn, _, _, err := j.conn.ReadMsgUnix(buf, oob)
	if err != nil {
		return nil, err
	}
	if oobn == 0 {
		return journaltest.Decode(buf[:n])
	}
	messages, err := unix.ParseSocketControlMessage(oob[:oobn])
	if err != nil {
		return nil, err
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 || n != 0 {
		return nil, fmt.Errorf("%d descriptors with %d bytes, %w", len(fds), n, err)
	}
	file := os.NewFile(uintptr(fds[0]), "record")
	defer func() { _ = file.Close() }()
	const want = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	if seals, err := unix.FcntlInt(file.Fd(), unix.F_GET_SEALS, 0); err != nil || seals&want != want {
		return nil, fmt.Errorf("seals %x, %w", seals, err)
	}
	content, err := io.ReadAll(io.NewSectionReader(file, 0, 1<<30))
	if err != nil {
		return nil, err
	}
	return journaltest.Decode(content)
}

// message returns the message of the next record.
func (j *journald) message() string {
	j.t.Helper()
	return value(j.next(), "MESSAGE")
}

func value(fields []journaltest.Field, name string) string {
	for _, f := range fields {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

func write(t *testing.T, c zapcore.Core, message string, fields ...zap.Field) {
	t.Helper()
	if err := c.Write(zapcore.Entry{Time: time.Now(), Message: message}, fields); err != nil {
		t.Fatal(err)
	}
}

// fill logs numbers until one has to wait, and returns how many it has logged.
func fill(t *testing.T, c *Core) int {
	t.Helper()
	for n := 1; n < 100_000; n++ {
		write(t, c, strconv.Itoa(n-1))
		if c.w.queue.Waiting() > 0 {
			return n
		}
	}
	t.Fatal("the queue has no end")
	return 0
}

func TestWrite_RecordArrives(t *testing.T) {
	j := listen(t)
	log := zap.New(j.core(), zap.AddCaller()).Named("api").With(zap.String("shard", "a"), zap.Namespace("http"))
	log.Debug("not wanted")
	log.Warn("slow", zap.Int("status", 200))
	got := j.next()
	for name, want := range map[string]string{
		"MESSAGE": "slow shard=a http.status=200", "PRIORITY": "4", "SYSLOG_IDENTIFIER": "web", "SYSLOG_FACILITY": "3", "LOGGER": "api", "SHARD": "a", "HTTP_STATUS": "200", "MESSAGE_BYTES": "4",
		"CODE_FUNC": "github.com/go-glidepath/glidepath/internal/log/journal.TestWrite_RecordArrives",
	} {
		if v := value(got, name); v != want {
			t.Errorf("%s is %q, want %q", name, v, want)
		}
	}
	if file := value(got, "CODE_FILE"); filepath.Base(file) != "writer_linux_test.go" || value(got, "CODE_LINE") == "" || len(got) != 11 {
		t.Errorf("got %q", got)
	}
}

func TestWrite_MessageOfWarningsAndEventsHasFields(t *testing.T) {
	j := listen(t)
	log := zap.New(j.core()).With(zap.String("shard", "a b"))
	for _, test := range []struct {
		log  func()
		want string
	}{
		{func() { log.Info("served", zap.Int("n", 1)) }, "served"},
		{func() { log.Info("ready", zap.Int("n", 1), logevent.Ready.Field()) }, `ready shard="a b" n=1`},
		{func() { log.Error("failed\nand how", zap.Error(errors.New("no\nroute"))) }, "failed\nand how shard=\"a b\"\n    error:\n        no\n        route"},
		{func() { log.Warn("slow", zap.String("x", "\x1b\x00\n\"PRIORITY=0")) }, "slow shard=\"a b\"\n    x:\n        \\x1b\\x00\n        \"PRIORITY=0"},
	} {
		test.log()
		if got := value(j.next(), "MESSAGE"); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
	zap.New(j.core()).Warn("bare")
	if got := value(j.next(), "MESSAGE"); got != "bare" {
		t.Errorf("got %q", got)
	}
}

func TestWrite_FieldsInTheMessageKeepTheirNames(t *testing.T) {
	j := listen(t)
	long := strings.Repeat("é", 100<<10)
	var fields []zap.Field
	for i := range 50 {
		fields = append(fields, zap.String("f"+strconv.Itoa(i), long))
	}
	chain := &node{}
	for range 1_000_000 {
		chain = &node{Next: chain}
	}
	zap.New(j.core()).Warn("long", append(fields, zap.Reflect("way", chain))...)
	got := j.next()
	message := value(got, "MESSAGE")
	if !strings.HasPrefix(message, "long f0=éé") || len("MESSAGE=")+len(message) >= 4096 || !utf8.ValidString(message) || !strings.HasSuffix(message, " bytes more)") || value(got, "FULL_MESSAGE") != "" {
		t.Errorf("the message has %d bytes: %.100s", len(message), message)
	}
	for i := range 50 {
		if v := value(got, "F"+strconv.Itoa(i)); v != long {
			t.Errorf("field %d has %d bytes", i, len(v))
		}
	}
	if v := value(got, "WAY"); !strings.Contains(v, "node: it is nested more than 100 levels deep") {
		t.Errorf("the long way is %.100s", v)
	}
}

func TestWrite_MessageStaysShortEnoughForJournalctl(t *testing.T) {
	j := listen(t)
	log := zap.New(j.core())
	for _, unit := range []string{"x", "é", "x\n", "\x01", "\xff", "😀\t"} {
		for _, n := range []int{100, 4000, 4040, 4041, 4086, 4087, 4088, 4095, 4096, 5000, 20_000} {
			message := strings.Repeat(unit, n/len(unit))
			for _, warn := range []bool{false, true} {
				if log.Info(message, zap.Int("n", 1)); warn {
					_ = j.next()
					log.Warn(message, zap.Int("n", 1))
				}
				got := j.next()
				shown, full := value(got, "MESSAGE"), value(got, "FULL_MESSAGE")
				readable := journaltest.Readable(message)
				if len("MESSAGE=")+len(shown) >= 4096 || value(got, "N") != "1" {
					t.Errorf("%q, %d: the message has %d bytes", unit, n, len(shown))
				}
				if size, err := strconv.Atoi(value(got, MessageBytes)); warn && full == "" && (err != nil || shown[:size] != readable) {
					t.Errorf("%q, %d: of the message %d bytes are the program's, %v", unit, n, size, err)
				}
				switch begins := strings.HasPrefix(shown, readable); {
				case full == "" && !begins, full != "" && (full != readable || begins):
					t.Errorf("%q, %d, %t: the whole message is nowhere, or twice: %.50q, %.50q", unit, n, warn, shown, full)
				case len(readable) < 4000 && (full != "" || strings.HasSuffix(shown, " bytes more)")):
					t.Errorf("%q, %d: cut without need", unit, n)
				}
			}
		}
	}
}

func TestNew_IdentifierDefaultsToTheExecutable(t *testing.T) {
	j := listen(t)
	c, err := New(Options{Socket: j.path}, zap.InfoLevel)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(t.Context()) }()
	write(t, c, "m")
	if got := value(j.next(), "SYSLOG_IDENTIFIER"); got != filepath.Base(os.Args[0]) {
		t.Errorf("got %q", got)
	}
}

func TestNew_FailsWithoutAJournal(t *testing.T) {
	if _, err := New(Options{Socket: filepath.Join(t.TempDir(), "none")}, zap.InfoLevel); !errors.Is(err, unix.ENOENT) {
		t.Errorf("got %v", err)
	}
	if n := len(open(t, "socket:")); n != 0 {
		t.Errorf("%d sockets are left", n)
	}
}

func TestWrite_SendsLargeRecordsAsSealedMemory(t *testing.T) {
	j := listen(t)
	c := j.core()
	if err := unix.SetsockoptInt(c.w.out.socket.fd, unix.SOL_SOCKET, unix.SO_SNDBUF, 64<<10); err != nil {
		t.Fatal(err)
	}
	megabyte := strings.Repeat("12345678\n", 1<<17)
	write(t, c, "before")
	write(t, c, "large", zap.String("body", megabyte))
	write(t, c, "after")
	if got := j.message(); got != "before" {
		t.Errorf("got %q", got)
	}
	if got := j.next(); value(got, "MESSAGE") != "large" || value(got, "BODY") != megabyte {
		t.Errorf("%d bytes", len(value(got, "BODY")))
	}
	if got := j.message(); got != "after" || c.Lost() != 0 {
		t.Errorf("got %q, lost %d", got, c.Lost())
	}
	if n := len(open(t, "journal-record")); n != 0 {
		t.Errorf("%d descriptors are left", n)
	}
}

// open lists the open files of a kind.
func open(t *testing.T, kind string) (found []string) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if to, _ := os.Readlink("/proc/self/fd/" + e.Name()); strings.Contains(to, kind) {
			found = append(found, to)
		}
	}
	return found
}

func TestWrite_WaitingRecordsArriveInOrder(t *testing.T) {
	j := listen(t)
	c := j.core()
	n := fill(t, c)
	for range 500 { // without times of their own
		if err := c.Write(zapcore.Entry{Message: strconv.Itoa(n)}, nil); err != nil {
			t.Error(err)
		}
		n++
	}
	late := 0
	for i := range n {
		got := j.next()
		if m := value(got, "MESSAGE"); m != strconv.Itoa(i) {
			t.Fatalf("%q comes as number %d", m, i)
		}
		if at := value(got, "LOGGED_AT"); at != "" {
			late++
			if when, err := time.Parse(time.RFC3339Nano, at); err != nil || time.Since(when) > soon {
				t.Errorf("LOGGED_AT %s, %v", at, err)
			}
		}
	}
	if late < 500 || late > 501 || c.Lost() != 0 {
		t.Errorf("%d were late, %d lost", late, c.Lost())
	}
	write(t, c, "in time")
	if got := j.next(); value(got, "MESSAGE") != "in time" || value(got, "LOGGED_AT") != "" {
		t.Errorf("got %q", got)
	}
}

func TestWrite_ReportsLossesWhenTheJournalReturns(t *testing.T) {
	j := listen(t)
	c := j.core()
	body := zap.String("body", strings.Repeat("b", 100_000))
	for _, lost := range []struct {
		n            uint64
		message, all string
	}{
		{3, "3 log records were lost: the journal did not take them in time", "3"},
		{1, "1 log record was lost: the journal did not take it in time", "4"},
	} {
		n, before := fill(t, c), c.Lost()
		large := -n
		for c.Lost() < before+lost.n {
			write(t, c, strconv.Itoa(n), body)
			n++
		}
		kept := n - int(lost.n) // the last ones are lost
		if large += kept; large < 82 || large > 84 {
			t.Errorf("of 8 MiB the backlog has kept %d times 100 000 bytes", large)
		}
		for i := range kept {
			if m := j.message(); m != strconv.Itoa(i) {
				t.Fatalf("%q comes as number %d", m, i)
			}
		}
		got := j.next()
		for name, want := range map[string]string{
			"MESSAGE": lost.message, "LOST": strconv.FormatUint(lost.n, 10), "LOST_IN_ALL": lost.all, "PRIORITY": "4",
			"MESSAGE_ID": logevent.RecordsLost.MessageID(), "SYSLOG_IDENTIFIER": "web",
		} {
			if v := value(got, name); v != want {
				t.Errorf("%s is %q, want %q", name, v, want)
			}
		}
		write(t, c, "next")
		if m := j.message(); m != "next" {
			t.Errorf("got %q", m)
		}
	}
}

func TestWrite_ReturnsWhileTheJournalHangs(t *testing.T) {
	j := listen(t)
	c := j.core()
	log := zap.New(c, zap.AddCaller())
	took := make([]time.Duration, 30_000)
	var all time.Duration
	for i := range took {
		begun := time.Now()
		log.Info("nobody reads this", zap.Int("n", i), zap.String("method", "GET"), zap.String("path", "/"), zap.Bool("cached", true))
		took[i] = time.Since(begun)
		all += took[i]
	}
	waited, lost := c.w.queue.Waiting(), int(c.Lost())
	slices.Sort(took)
	median := took[len(took)/2]
	t.Logf("median %s, p99 %s, longest %s, in all %s, %d waited, %d lost", median, took[len(took)*99/100], took[len(took)-1], all, waited, lost)
	// internal/test/bench measures how long a call may take.
	if lost < len(took)/4 || waited == 0 {
		t.Errorf("%d waited and %d were lost", waited, lost)
	}
	if median >= time.Millisecond {
		t.Errorf("half of the calls took %s", median)
	}
	begun := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := c.Close(ctx); err == nil || !strings.HasPrefix(err.Error(), strconv.Itoa(lost+waited)+" log records were lost") || int(c.Lost()) != lost+waited {
		t.Errorf("Close: %v, %d lost", err, c.Lost())
	}
	if d := time.Since(begun); d > soon/4 {
		t.Errorf("Close took %s", d)
	}
}

const syncTimeout = 250 * time.Millisecond

func TestSync_WaitsForAHangOnce(t *testing.T) {
	j := listen(t)
	c := j.core()
	sync := func() {
		if err := c.Sync(); err == nil {
			t.Error("nobody reads, and Sync has no error")
		}
	}
	for range 2 {
		n := fill(t, c)
		begun := time.Now()
		sync()
		if d := time.Since(begun); d < syncTimeout {
			t.Errorf("Sync took only %s", d)
		}
		if d := shortest(sync); d >= syncTimeout/2 {
			t.Errorf("Sync took %s again", d)
		}
		for range n {
			j.message()
		}
		if err := c.Sync(); err != nil { // from here on, Sync waits again
			t.Errorf("Sync after %d records: %v", n, err)
		}
	}
}

func TestSync_WaitsUntilTheJournalHasRead(t *testing.T) {
	j := listen(t)
	c := j.core()
	write(t, c, "last words")
	if err := c.Sync(); err == nil || !strings.Contains(err.Error(), "0 records wait") {
		t.Errorf("nobody has read it: %v", err)
	}
	done := make(chan error)
	go func() { done <- c.Drain(t.Context()) }()
	j.message()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestWrite_WaitsAtPanicLevel(t *testing.T) {
	c := listen(t).core()
	log := func(level zapcore.Level) func() {
		return func() {
			if err := c.Write(zapcore.Entry{Level: level, Message: "m"}, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	if took := shortest(log(zap.DPanicLevel)); took >= syncTimeout/2 {
		t.Errorf("what does not end the process took %s", took)
	}
	begun := time.Now()
	log(zap.FatalLevel)()
	if took := time.Since(begun); took < syncTimeout {
		t.Errorf("nobody has read it, and the call took only %s", took)
	}
	if took := shortest(log(zap.PanicLevel)); took >= syncTimeout/2 {
		t.Errorf("it was waited for again: %s", took)
	}
}

func TestWrite_ReconnectsToTheJournal(t *testing.T) {
	j := listen(t)
	c := j.core()
	write(t, c, "one")
	if got := j.message(); got != "one" {
		t.Errorf("got %q", got)
	}
	_ = j.conn.Close()
	_ = os.Remove(j.path)
	write(t, c, "two") // nothing listens
	write(t, c, "three")
	again := listenAt(t, j.path)
	for _, want := range []string{"two", "three"} {
		if got := again.message(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	_ = again.conn.Close()
	_ = os.Remove(j.path)
	third := listenAt(t, j.path)
	write(t, c, "four")
	if got := third.message(); got != "four" || c.Lost() != 0 {
		t.Errorf("got %q, %d lost", got, c.Lost())
	}
}

func TestClose_WaitsForTheBacklog(t *testing.T) {
	j := listen(t)
	c := j.core()
	n := fill(t, c)
	done := make(chan error)
	go func() { done <- c.Close(context.Background()) }()
	for i := range n {
		if m := j.message(); m != strconv.Itoa(i) {
			t.Fatalf("%q comes as number %d", m, i)
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := c.Write(zapcore.Entry{Message: "too late"}, nil); err != nil || c.Lost() != 0 {
		t.Errorf("after Close: %v, %d lost", err, c.Lost())
	}
	if err := errors.Join(c.Close(context.Background()), c.Sync()); err != nil {
		t.Error(err)
	}
}

func TestClose_ErrorReportsLossesOfAHangingJournal(t *testing.T) {
	c := listen(t).core()
	fill(t, c)
	if c.Sync() == nil {
		t.Error("nobody reads, and Sync has no error")
	}
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	if err := c.Close(ctx); err == nil || !strings.HasPrefix(err.Error(), "1 log record was lost: the journal") || c.Lost() != 1 || ctx.Err() != nil {
		t.Errorf("Close: %v, %d lost, %v", err, c.Lost(), ctx.Err())
	}
}

func TestSync_WaitsAgainForAJournalThatRecovered(t *testing.T) {
	j := listen(t)
	c := j.core()
	n := fill(t, c)
	for range 1000 {
		write(t, c, strconv.Itoa(n))
		n++
	}
	if c.Sync() == nil {
		t.Error("nobody reads, and Sync has no error")
	}
	j.message() // journald reads again: there is room, or it was used already
	done := make(chan error)
	go func() { done <- c.Close(context.Background()) }()
	for range n - 1 {
		j.message()
	}
	if err := <-done; err != nil || c.Lost() != 0 {
		t.Errorf("Close: %v, %d lost", err, c.Lost())
	}
}

func TestWrite_Concurrent(t *testing.T) {
	j := listen(t)
	c := j.core()
	const goroutines, each = 8, 2000
	var wg sync.WaitGroup
	for g := range goroutines {
		log := zap.New(c.With([]zap.Field{zap.Int("goroutine", g)}))
		wg.Go(func() {
			for i := range each {
				log.Info("m", zap.Int("i", i))
				// The backlog has room for all records in flight, however slow the reader
				// is.
				for i%250 == 0 && log.Sync() != nil {
				}
			}
		})
	}
	last := make(map[string]int)
	for range goroutines * each {
		got := j.next()
		g := value(got, "GOROUTINE")
		i, err := strconv.Atoi(value(got, "I"))
		if err != nil || i != last[g] {
			t.Fatalf("goroutine %s: %d after %d, %v", g, i, last[g], err)
		}
		last[g]++
	}
	wg.Wait()
	if c.Lost() != 0 {
		t.Errorf("%d lost", c.Lost())
	}
}

func TestNew_ChildrenDoNotInheritTheSocket(t *testing.T) {
	c := listen(t).core()
	flags, err := unix.FcntlInt(uintptr(c.w.out.socket.fd), unix.F_GETFD, 0)
	if err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("flags %x, %v", flags, err)
	}
}

func TestWrite_AllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Log("the race detector empties pools at random: only that it works is checked")
	}
	j := listen(t)
	c := j.core()
	entry := zapcore.Entry{Message: "served", Caller: zapcore.EntryCaller{Defined: true, File: "f.go", Line: 3, Function: "main"}}
	at := time.Now()
	fields := []zap.Field{
		zap.String("method", "GET"), zap.Int("status", 200), zap.Duration("took", time.Millisecond), zap.Bool("cached", true),
		zap.Time("at", at), zap.Float64("load", 0.5), zap.Uint32("n", 1), zap.ByteString("b", []byte("x\ny")), zap.Binary("bin", []byte{0}),
		zap.Error(unix.ENOENT),
	}
	with := c.With([]zap.Field{zap.String("shard", "a"), zap.Namespace("http")})
	buf := make([]byte, 1<<16)
	raw, err := j.conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	read := func(fd uintptr) bool { _, _ = unix.Read(int(fd), buf); return true }
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	n := testing.AllocsPerRun(1000, func() {
		_ = with.Write(entry, fields)
		_ = raw.Read(read)
	})
	if n != 0 && !raceDetector {
		t.Errorf("%v allocations", n)
	}
	if !bytes.Contains(buf, []byte("\nHTTP_STATUS=200\n")) {
		t.Errorf("got %.500q", buf)
	}
}

func TestWanted(t *testing.T) {
	dir := t.TempDir()
	a, err := os.Create(filepath.Join(dir, "a"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	b, err := os.Create(filepath.Join(dir, "b"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	var s unix.Stat_t
	if err := unix.Fstat(int(a.Fd()), &s); err != nil {
		t.Fatal(err)
	}
	env := fmt.Sprintf("%d:%d", s.Dev, s.Ino)
	if !Wanted(env, a) {
		t.Errorf("%s is not wanted", env)
	}
	if Wanted(env, b) {
		t.Error("another file is taken for the journal")
	}
	for _, env := range []string{"", ":", "1", "a:b", env + "x", "-" + env, fmt.Sprintf("%d:%d", s.Dev+1, s.Ino), fmt.Sprintf("%d:%d", s.Dev, s.Ino+1)} {
		if Wanted(env, a) {
			t.Errorf("JOURNAL_STREAM=%q is wanted", env)
		}
	}
	_ = a.Close()
	if Wanted(env, a) || Wanted(env, nil) {
		t.Error("a file that is closed is wanted")
	}
}
