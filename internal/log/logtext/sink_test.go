package logtext

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/log/logevent"
)

// shut closes the core as a run does.
func shut(t *testing.T, c *Core) {
	t.Helper()
	if err := errors.Join(c.Drain(t.Context()), c.Close(t.Context())); err != nil {
		t.Error(err)
	}
}

func TestCore_WritesToAFileUntilClose(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	level := zap.NewAtomicLevelAt(zap.WarnLevel)
	core := New(Options{File: f}, level)
	log := zap.New(core)
	log.Info("not yet")
	level.SetLevel(zap.InfoLevel)
	log.With(zap.Int("a", 1)).Info("now")
	if core.Level() != zap.InfoLevel {
		t.Errorf("the level is %v", core.Level())
	}
	if err := log.Sync(); err != nil {
		t.Error(err)
	}
	shut(t, core)
	log.Info("after Close")
	if err := errors.Join(core.Close(t.Context()), f.Close()); err != nil || core.Lost() != 0 {
		t.Errorf("%v, %d lost", err, core.Lost())
	}
	if got := content(t, path); strings.Count(got, "\n") != 1 || !strings.Contains(got, `"now","a":1}`) {
		t.Errorf("got %q", got)
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestCore_NeverWritesToAReusedDescriptor(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	core := New(Options{File: f}, zap.InfoLevel)
	number := f.Fd()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	theirs := filepath.Join(dir, "data")
	victim, err := os.Create(theirs)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = victim.Close() }()
	if victim.Fd() != number {
		t.Logf("the file is %d, not %d: only that the log goes on is checked", victim.Fd(), number)
	}
	zap.New(core).Info("ours")
	shut(t, core)
	if data, log := content(t, theirs), content(t, path); data != "" || !strings.Contains(log, "ours") {
		t.Errorf("their file has %q, ours has %q", data, log)
	}
	if _, err := victim.WriteString("data"); err != nil {
		t.Errorf("Close has closed their file: %v", err)
	}
}

func TestNew_WithoutAFileLosesEverything(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for _, f := range []*os.File{nil, f} {
		core := New(Options{File: f}, zap.InfoLevel)
		zap.New(core).Info("x")
		_ = core.Drain(t.Context())
		if err := core.Close(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "1 log record was lost: ") || core.Lost() != 1 {
			t.Errorf("Close: %v, %d lost", err, core.Lost())
		}
	}
}

// pipeOf returns a core that writes to a pipe, and the other end of the pipe.
func pipeOf(t *testing.T, f Format) (*Core, *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	core := New(Options{File: w, Format: f}, zap.InfoLevel)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return core, r
}

func TestCore_PausingReaderLosesNothing(t *testing.T) {
	core, r := pipeOf(t, JSON)
	log := zap.New(core)
	const records = 15_000
	for i := range records { // nobody reads meanwhile
		log.Info("x", zap.Int("i", i))
	}
	read := make(chan error)
	go func() {
		lines, i := bufio.NewScanner(r), 0
		for ; lines.Scan(); i++ {
			if want := fmt.Sprintf(`"x","i":%d}`, i); !strings.HasSuffix(lines.Text(), want) {
				read <- fmt.Errorf("line %d is %q", i, lines.Text())
				return
			}
		}
		if i != records {
			read <- fmt.Errorf("%d lines", i)
		}
		close(read)
	}()
	shut(t, core)
	if err := <-read; err != nil || core.Lost() != 0 {
		t.Errorf("%v, %d lost", err, core.Lost())
	}
}

func TestCore_SlowReaderLosesNothing(t *testing.T) {
	core, r := pipeOf(t, JSON)
	lines := make(chan int)
	go func() {
		b, _ := io.ReadAll(struct{ io.Reader }{r})
		lines <- strings.Count(string(b), "\n")
	}()
	log := zap.New(core)
	const records = 20_000
	for i := range records {
		log.Info("x", zap.Int("i", i))
	}
	shut(t, core)
	if n := <-lines; n != records || core.Lost() != 0 {
		t.Errorf("%d lines, %d lost", n, core.Lost())
	}
}

func TestCore_ReportsLossesWhereRecordsAreMissing(t *testing.T) {
	for _, size := range []int{1000, 10_000} { // the larger ones are written in part
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			core, r := pipeOf(t, Terminal)
			log := zap.New(core)
			records := 12_000_000 / size
			for i := range records {
				log.Info("x", zap.Int("i", i), zap.String("fill", strings.Repeat("x", size)))
			}
			lost := core.Lost()
			if lost == 0 {
				t.Fatal("nothing was lost")
			}
			log.Info("stopping", logevent.Stopping.Field())
			text := make(chan string)
			go func() {
				b, _ := io.ReadAll(r)
				text <- string(b)
			}()
			if err := core.Drain(t.Context()); err != nil {
				t.Error(err)
			}
			log.Info("stopped", logevent.Stopped.Field())
			if err := core.Close(t.Context()); err != nil || core.Lost() != lost || core.Untold() != 0 {
				t.Errorf("%v, %d lost, %d untold", err, core.Lost(), core.Untold())
			}
			got := strings.Split(strings.TrimSuffix(<-text, "\n"), "\n")
			whole, own := 0, -1
			for i, line := range got {
				switch {
				case strings.HasSuffix(line, "fill="+strings.Repeat("x", size)):
					whole++
				case strings.HasSuffix(line, "INFO   stopping"):
					own = i
				}
			}
			n := len(got)
			want := fmt.Sprintf("%d log records were lost: |1 did not take them in time lost=%d lost_in_all=%d", lost, lost, lost)
			if whole+int(lost) != records || n != whole+3 || own < 1 || own > n/2 ||
				!strings.Contains(got[n-2], want) || !strings.HasSuffix(got[n-1], "INFO   stopped") {
				t.Errorf("%d of %d records, %d lost, stopping is line %d of %d; at the end %.200q", whole, records, lost, own, n, got[n-2:])
			}
		})
	}
}

func TestClose_ErrorReportsLossesOfAnUnreadPipe(t *testing.T) {
	core, _ := pipeOf(t, JSON)
	log := zap.New(core)
	const records = 5000
	for i := range records {
		log.Info("x", zap.Int("i", i))
	}
	if core.Lost() != 0 {
		t.Errorf("%d lost while there is room", core.Lost())
	}
	if err := core.Drain(t.Context()); err == nil || core.Lost() == 0 {
		t.Errorf("%v, %d lost", err, core.Lost())
	}
	log.Info("stopped", logevent.Stopped.Field())
	err := core.Close(t.Context())
	if want := fmt.Sprintf("%d log records were lost: |1 did not take them in time: ", core.Lost()); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s…", err, want)
	}
	begun := time.Now()
	log.Info("after Close")
	if core.Untold() != core.Lost() {
		t.Errorf("%d lost, %d untold after %s", core.Lost(), core.Untold(), time.Since(begun))
	}
}
