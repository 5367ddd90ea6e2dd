package eventlog

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"
	"unsafe"

	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/queue"
)

var (
	errUnavailable = errors.New("the RPC server is unavailable")
	errNoHandle    = errors.New("the handle is invalid")
)

// event holds a record in the fake's log.
type event struct {
	kind    uint16
	id      uint32
	strings []string
}

// text returns the first string, with Unix line ends.
func (e event) text() string { return strings.ReplaceAll(e.strings[0], "\r\n", "\n") }

// fake behaves like the documented Event Log. It refuses records that the real one would
// refuse, or would not show unchanged.
type fake struct {
	t testing.TB

	mu        sync.Mutex
	service   int       // the number of the running service; a handle is only valid for one
	handles   []uintptr // the open handles
	sources   []string  // all sources that were registered
	events    []event
	gone      bool          // the service is not running
	refuse    error         // the error for the next record
	refuseAll error         // the error for every record
	calls     int           // the number of calls of report
	hang      chan struct{} // calls hang until it is closed, unless it is nil
	entered   chan struct{} // receives a value for each call that hangs, unless it is nil
}

func newFake(t testing.TB) *fake { return &fake{t: t, service: 1} }

// wait hangs if hang is set.
func (f *fake) wait() {
	f.mu.Lock()
	hang, entered := f.hang, f.entered
	f.mu.Unlock()
	if hang == nil {
		return
	}
	if entered != nil {
		entered <- struct{}{}
	}
	<-hang
}

func (f *fake) register(source string) (uintptr, error) {
	f.wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.gone {
		return 0, errUnavailable
	}
	f.sources = append(f.sources, source)
	h := uintptr(f.service<<16 | len(f.sources))
	f.handles = append(f.handles, h)
	return h, nil
}

func (f *fake) deregister(h uintptr) error {
	f.wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	if i := slices.Index(f.handles, h); i >= 0 {
		f.handles = slices.Delete(f.handles, i, i+1)
		return nil
	}
	f.t.Errorf("a handle is given back that is not open: %#x", h)
	return errNoHandle
}

func (f *fake) report(h uintptr, r *record) error {
	f.wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	if f.gone {
		return errUnavailable
	}
	if h>>16 != uintptr(f.service) {
		return errNoHandle
	}
	if err := f.refuse; err != nil {
		f.refuse = nil
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	if err := f.refuseAll; err != nil {
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	if err := f.check(r); err != nil {
		f.t.Error(err)
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	e := event{kind: r.kind, id: r.id}
	for _, s := range r.strings[:r.count] {
		e.strings = append(e.strings, string(utf16.Decode(units(s))))
	}
	f.events = append(f.events, e)
	return nil
}

// check checks r against Microsoft's documentation of ReportEventW, and of how Event Viewer
// makes a description.
func (f *fake) check(r *record) error {
	switch {
	case r.kind != 1 && r.kind != 2 && r.kind != 4:
		return fmt.Errorf("type %d", r.kind)
	case r.id < 1 || r.id > 1000:
		return fmt.Errorf("EventCreate.exe has no message for the id %d", r.id)
	case r.count < 1 || r.count > len(r.strings):
		return fmt.Errorf("%d strings", r.count)
	}
	total := 0
	var all []string
	for _, s := range r.strings[:r.count] {
		u := units(s)
		if len(u) > 31_839 {
			return fmt.Errorf("a string of %d characters", len(u))
		}
		total += 2 * (len(u) + 1)
		text := string(utf16.Decode(u))
		if !slices.Equal(utf16.Encode([]rune(text)), u) {
			return fmt.Errorf("half a character: %q", text)
		}
		all = append(all, text)
	}
	if len(units(r.strings[0])) != len(r.text)-1 {
		return fmt.Errorf("the text ends too early")
	}
	if total > 63<<10 {
		return fmt.Errorf("%d bytes in all", total)
	}
	if got := description(all); got != all[0] {
		return fmt.Errorf("shown as %q\nis          %q", got, all[0])
	}
	return nil
}

func units(s *uint16) []uint16 {
	n := 0
	for *(*uint16)(unsafe.Add(unsafe.Pointer(s), 2*n)) != 0 {
		n++
	}
	return unsafe.Slice(s, n)
}

// description returns the description that a viewer makes of "%1". It expands the result
// repeatedly, up to a limit.
func description(inserts []string) string {
	text := "%1"
	for i, left := 0, 100; i < len(text) && left > 0; {
		rest := text[i:]
		digits := 0
		for digits < 2 && 1+digits < len(rest) && '0' <= rest[1+digits] && rest[1+digits] <= '9' {
			digits++
		}
		switch {
		case rest[0] == '%' && digits > 0:
			n, _ := strconv.Atoi(rest[1 : 1+digits])
			by := "(no string " + rest[1:1+digits] + ")"
			if 1 <= n && n <= len(inserts) {
				by = inserts[n-1]
			}
			text = text[:i] + by + rest[1+digits:]
			left--
		case strings.HasPrefix(rest, "%%") && len(rest) > 2 && '0' <= rest[2] && rest[2] <= '9', strings.HasPrefix(rest, "%{"):
			text = text[:i] + "(no parameter)" + rest[2:]
			left--
		default:
			i++
		}
	}
	return text
}

// taken returns the records so far.
func (f *fake) taken() []event {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.events)
}

// last returns the last record.
func (f *fake) last() event {
	f.t.Helper()
	all := f.taken()
	if len(all) == 0 {
		f.t.Fatal("there is no record")
	}
	return all[len(all)-1]
}

// set changes the fake.
func (f *fake) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// restart simulates a restart of the service: all handles become invalid.
func (f *fake) restart() { f.set(func() { f.service++; f.gone = false }) }

func open(t testing.TB, f *fake, enabler zapcore.LevelEnabler) *Core {
	t.Helper()
	w, err := newWriter(f, "web")
	if err != nil {
		t.Fatal(err)
	}
	return &Core{Sink: queue.NewSink(enabler, w.queue), w: w, form: newForm()}
}

func (c *Core) shut(t testing.TB) {
	t.Helper()
	if err := c.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

var at = time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)

// flush returns when all records are taken. On a busy machine a write returns earlier, and so
// does Sync.
func flush(c zapcore.Core) {
	for c.Sync() != nil {
	}
}

func write(t testing.TB, c zapcore.Core, level zapcore.Level, msg string, fields ...zapcore.Field) {
	t.Helper()
	if err := c.Write(zapcore.Entry{Level: level, Time: at, Message: msg}, fields); err != nil {
		t.Error(err)
	}
}
