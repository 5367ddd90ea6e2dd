package logfile

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	_ "time/tzdata" // Windows does not know zones by these names

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/daemon/logkeys"
)

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// content returns the contents of a file, decompressed.
func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(path, ".gz") {
		return string(b)
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if b, err = io.ReadAll(z); err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// messages returns the messages in a file.
func messages(t *testing.T, path string) []string {
	t.Helper()
	var all []string
	for line := range strings.Lines(content(t, path)) {
		var m struct{ Time, Level, Msg string }
		if err := json.Unmarshal([]byte(line), &m); err != nil || m.Level == "" {
			t.Fatalf("%q: %v", line, err)
		}
		if _, err := time.Parse(time.RFC3339Nano, m.Time); err != nil {
			t.Error(err)
		}
		all = append(all, m.Msg)
	}
	return all
}

func closed(t *testing.T, c *Core) {
	t.Helper()
	if err := c.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// synced calls Sync until a rotated file is compressed. Each call waits for a second.
func synced(t *testing.T, log *zap.Logger) {
	t.Helper()
	var err error
	for range 60 {
		if err = log.Sync(); !errors.Is(err, context.DeadlineExceeded) {
			break
		}
	}
	if err != nil {
		t.Error(err)
	}
}

func TestNew_TouchesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "web.log")
	level := zap.NewAtomicLevelAt(zap.WarnLevel)
	core := New(Options{Path: path, Level: level})
	log := zap.New(core)
	log.Info("below its level")
	if err := log.Sync(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Dir(path)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its folder: %v", err)
	}
	log.With(zap.Int("a", 1)).Warn("one", zap.Int("b", 2))
	closed(t, core)
	if got := content(t, path); !strings.HasSuffix(got, `"msg":"one","a":1,"b":2}`+"\n") {
		t.Errorf("got %q", got)
	}
	if runtime.GOOS != "windows" {
		for p, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
			if info, err := os.Stat(p); err != nil || info.Mode().Perm() != want {
				t.Errorf("%s: %v, %v", p, info.Mode(), err)
			}
		}
	}
	if core.Level() != zap.WarnLevel || New(Options{}).Level() != zap.DebugLevel {
		t.Error("the level is another")
	}
}

func TestWrite_FileIsInTheFolderForLogs(t *testing.T) {
	dir, state := t.TempDir(), filepath.Join(t.TempDir(), "state")
	t.Setenv("LOGS_DIRECTORY", dir)
	t.Setenv("STATE_DIRECTORY", state)
	core := New(Options{Name: "web"})
	zap.New(core).Debug("one")
	closed(t, core)
	if _, err := os.Stat(state); err == nil {
		t.Error("it has made another folder")
	}
	if got := messages(t, filepath.Join(dir, "web.log")); len(got) != 1 {
		t.Errorf("got %v", got)
	}
}

func TestWrite_ReturnsAnErrorOnce(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]Options{
		"nothing":              {},
		"a path of a name":     {Name: "../web"},
		"a relative path":      {Path: "web.log"},
		"a folder":             {Path: dir},
		"a file for a folder":  {Path: filepath.Join(file, "web.log")},
		"a folder for a level": {Path: filepath.Join(dir, "x", "..", "file", "y", "web.log")},
	} {
		core := New(o)
		if err := core.Write(zapcore.Entry{}, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
		if err := core.Write(zapcore.Entry{}, nil); err != nil || core.Lost() != 2 {
			t.Errorf("%s, again: %v, %d lost", name, err, core.Lost())
		}
		closed(t, core)
	}
}

func TestWrite_ReportsLossesInTheFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	if err := os.WriteFile(dir, nil, 0o600); err != nil { // where the folder should be
		t.Fatal(err)
	}
	path := filepath.Join(dir, "web.log")
	core := New(Options{Path: path})
	now := time.Now()
	core.w.now = func() time.Time { return now }
	log := zap.New(core, zap.ErrorOutput(zapcore.AddSync(io.Discard)))
	log.Info("one")
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	log.Info("two") // it is not tried again at once
	now = now.Add(retryEvery)
	log.Info("three")
	closed(t, core)
	got := messages(t, path)
	if len(got) != 2 || !strings.HasPrefix(got[0], "2 log records were lost: the log file did not take them in time") || got[1] != "three" || core.Lost() != 2 {
		t.Errorf("got %v, %d lost", got, core.Lost())
	}
	if !strings.Contains(content(t, path), `"event":"records lost","lost":2,"lost_in_all":2}`) {
		t.Errorf("got %s", content(t, path))
	}
}

func TestWrite_LosesARecordLargerThanTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web.log")
	encoder := zapcore.NewJSONEncoder(zapcore.EncoderConfig{ // which does not limit the length
		MessageKey: "msg", TimeKey: "time", EncodeTime: zapcore.RFC3339NanoTimeEncoder, LevelKey: "level", EncodeLevel: zapcore.LowercaseLevelEncoder,
	})
	core := New(Options{Path: path, MaxSize: 1, Encoder: encoder})
	log := zap.New(core, zap.ErrorOutput(zapcore.AddSync(io.Discard)))
	log.Info(strings.Repeat("x", 2<<20))
	log.Info("after")
	closed(t, core)
	if got := messages(t, path); len(got) != 2 || got[1] != "after" || core.Lost() != 1 {
		t.Errorf("got %d records, %d lost", len(got), core.Lost())
	}
}

func TestWrite_RotatesBySizeAndCompresses(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "web.log")
	core := New(Options{Path: path, MaxSize: 1, Keep: 2})
	log := zap.New(core)
	const records = 5 << 10
	for i := range records {
		log.Info(fmt.Sprint(i), zap.String("fill", strings.Repeat("x", 1000)))
	}
	closed(t, core)
	all := names(t, dir)
	var kept []string
	for _, name := range all {
		p := filepath.Join(dir, name)
		if name != "web.log" && !strings.HasSuffix(name, ".log.gz") {
			t.Errorf("there is %s", name)
		}
		if info, err := os.Stat(p); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
		kept = append(kept, messages(t, p)...)
	}
	if len(all) != 3 {
		t.Fatalf("there are %v", all)
	}
	if kept[len(kept)-1] != fmt.Sprint(records-1) {
		t.Errorf("the last is %s", kept[len(kept)-1])
	}
	for i := 1; i < len(kept); i++ { // no record is lost between two files
		if kept[i] != fmt.Sprint(records-len(kept)+i) {
			t.Fatalf("%s comes after %s", kept[i], kept[i-1])
		}
	}
}

func TestWrite_RotatesAfterSync(t *testing.T) {
	dir := t.TempDir()
	core := New(Options{Path: filepath.Join(dir, "web.log"), MaxSize: 1, Plain: true})
	log := zap.New(core)
	for range 30 {
		for range 50 {
			log.Info("x", zap.String("fill", strings.Repeat("x", 10_000)))
		}
		synced(t, log)
	}
	closed(t, core)
	all := names(t, dir)
	if len(all) != 1+defaultKeep {
		t.Errorf("there are %d", len(all))
	}
	for _, name := range all {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() > 1<<20 {
			t.Errorf("%s has %d bytes, %v", name, info.Size(), err)
		}
	}
}

func TestWrite_RotatesByTimeAfterTheServiceWasStopped(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "web.log")
	now := time.Now()
	start := func() *Core {
		core := New(Options{Path: path, RotateEvery: 24 * time.Hour, Plain: true})
		core.w.now = func() time.Time { return now }
		return core
	}
	write := func(core *Core, msg string) {
		if err := core.Write(zapcore.Entry{Message: msg, Time: now}, nil); err != nil {
			t.Error(err)
		}
	}
	core := start()
	write(core, "today")
	midnight := endOfPeriod(now, 24*time.Hour)
	now = midnight.Add(-time.Nanosecond)
	write(core, "today")
	if n := len(names(t, dir)); n != 1 {
		t.Fatalf("%d files before midnight", n)
	}
	now = midnight
	write(core, "tomorrow")
	write(core, "tomorrow")
	closed(t, core)
	if n := len(names(t, dir)); n != 2 {
		t.Fatalf("%d files after midnight", n)
	}
	if got := messages(t, path); len(got) != 2 || got[0] != "tomorrow" {
		t.Errorf("got %v", got)
	}

	if err := os.Chtimes(path, now, now); err != nil {
		t.Fatal(err)
	}
	core = start() // on the same day
	write(core, "tomorrow")
	closed(t, core)
	if err := os.Chtimes(path, now, now); err != nil {
		t.Fatal(err)
	}
	now = now.Add(72 * time.Hour)
	core = start() // days later
	write(core, "later")
	closed(t, core)
	if got := messages(t, path); len(got) != 1 || len(names(t, dir)) != 3 {
		t.Errorf("got %v in %v", got, names(t, dir))
	}
}

func TestEndOfPeriod(t *testing.T) {
	zone := time.FixedZone("x", 5*3600+1800)
	at := time.Date(2026, 1, 2, 15, 4, 5, 6, zone)
	if got := endOfPeriod(at, 24*time.Hour); !got.Equal(time.Date(2026, 1, 3, 0, 0, 0, 0, zone)) {
		t.Errorf("the day ends at %v", got)
	}
	if got := endOfPeriod(at, time.Hour); !got.Equal(time.Date(2026, 1, 2, 16, 0, 0, 0, zone)) {
		t.Errorf("the hour ends at %v", got)
	}
	if got := endOfPeriod(endOfPeriod(at, time.Hour), time.Hour); !got.Equal(time.Date(2026, 1, 2, 17, 0, 0, 0, zone)) {
		t.Errorf("the next hour ends at %v", got)
	}
}

func TestEndOfPeriod_ClockChange(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, day := range []time.Time{
		time.Date(2026, 3, 29, 0, 0, 0, 0, zone), time.Date(2026, 10, 25, 0, 0, 0, 0, zone), time.Date(2026, 6, 1, 0, 0, 0, 0, zone), time.Date(2026, 12, 31, 0, 0, 0, 0, zone),
	} {
		midnight := time.Date(day.Year(), day.Month(), day.Day()+1, 0, 0, 0, 0, zone)
		for at := day; at.Before(midnight); at = at.Add(30 * time.Minute) {
			if got := endOfPeriod(at, 24*time.Hour); !got.Equal(midnight) {
				t.Errorf("%v: the day ends at %v", at, got)
			}
			if got := endOfPeriod(at, time.Hour); !got.After(at) || got.Sub(at) > time.Hour || got.Minute() != 0 {
				t.Errorf("%v: the hour ends at %v", at, got)
			}
		}
		if got := endOfPeriod(day, 7*24*time.Hour); got.Weekday() != time.Monday || got.Hour() != 0 || got.Sub(day) > 7*24*time.Hour+time.Hour {
			t.Errorf("%v: the week ends at %v", day, got)
		}
	}
}

func TestSync_ReleasesAFileThatWasMoved(t *testing.T) {
	for _, created := range []bool{false, true} {
		dir := t.TempDir()
		path := filepath.Join(dir, "web.log")
		core := New(Options{Path: path, MaxSize: -1})
		log := zap.New(zapcore.NewTee(core, zapcore.NewNopCore())).With(zap.Int("a", 1))
		log.Info("one")
		if runtime.GOOS == "windows" { // an open file cannot be moved there
			if err := log.Sync(); err != nil {
				t.Error(err)
			}
		}
		if err := os.Rename(path, path+".1"); err != nil {
			t.Fatal(err)
		}
		if created {
			if err := os.WriteFile(path, nil, 0o640); err != nil {
				t.Fatal(err)
			}
		}
		if runtime.GOOS != "windows" {
			log.Info("two")
		}
		if err := log.Sync(); err != nil {
			t.Error(err)
		}
		log.Info("three")
		closed(t, core)
		old, now := messages(t, path+".1"), messages(t, path)
		if len(now) != 1 || now[0] != "three" || len(old) == 0 || len(names(t, dir)) != 2 {
			t.Errorf("created %t: the old has %v, the new %v; there are %v", created, old, now, names(t, dir))
		}
		if info, err := os.Stat(path); err != nil || created && runtime.GOOS != "windows" && info.Mode().Perm() != 0o640 {
			t.Errorf("the mode that logrotate gave it is %v, %v", info.Mode(), err)
		}
	}
}

func TestSync_LeavesNothingRunning(t *testing.T) {
	before := goleak.IgnoreCurrent()
	path := filepath.Join(t.TempDir(), "web.log")
	log := zap.New(New(Options{Path: path, MaxSize: 1}))
	for range 3000 {
		log.Info("x", zap.String("fill", strings.Repeat("x", 1000)))
	}
	synced(t, log)
	goleak.VerifyNone(t, before)
}

func TestSync_LosesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "web.log")
	core := New(Options{Path: path, MaxSize: 1, Keep: -1})
	log := zap.New(core)
	var wg sync.WaitGroup
	const writers, records = 4, 500
	for w := range writers {
		wg.Go(func() {
			for i := range records {
				log.Info(fmt.Sprintf("%d/%d", w, i), zap.String("fill", strings.Repeat("x", 2000)))
			}
		})
	}
	for range 20 {
		synced(t, log)
	}
	wg.Wait()
	closed(t, core)
	seen := map[string]int{}
	for _, name := range names(t, dir) {
		for _, m := range messages(t, filepath.Join(dir, name)) {
			seen[m]++
		}
	}
	if len(seen) != writers*records || core.Lost() != 0 {
		t.Errorf("%d records of %d, %d lost", len(seen), writers*records, core.Lost())
	}
}

func TestClose_EndsWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web.log")
	core := New(Options{Path: path})
	zap.New(core).Info("one")
	core.w.closing = make(chan error, 1) // as while a large file is being compressed
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := core.Close(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	zap.New(core).Info("two")
	core.w.closing = nil
	closed(t, core)
	if got := messages(t, path); len(got) != 2 {
		t.Errorf("got %v", got)
	}
}

func TestNew_MaxLine(t *testing.T) {
	for most, bounds := range map[int][2]int{0: {15 << 10, 16<<10 - 1}, 5000: {4000, 4999}, -1: {50_000, 51_000}} {
		path := filepath.Join(t.TempDir(), "web.log")
		core := New(Options{Path: path, MaxLine: most})
		zap.New(core).Info("m", zap.String("long", strings.Repeat("x", 50_000)))
		closed(t, core)
		if got := content(t, path); len(got) < bounds[0] || len(got) > bounds[1] {
			t.Errorf("%d: %d bytes", most, len(got))
		}
	}
}

func TestNew_Keys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web.log")
	core := New(Options{Path: path, Name: "web", Version: "1.2", Keys: logkeys.ECS})
	zap.New(core).Error("m", zap.Error(io.EOF))
	closed(t, core)
	if got := content(t, path); !strings.Contains(got, `"log.level":"error","message":"m","ecs.version":"8.11.0","service.name":"web","service.version":"1.2","error.message":"EOF"`) {
		t.Errorf("got %s", got)
	}
}

func TestNew_Encoder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web.log")
	core := New(Options{Path: path, Encoder: zapcore.NewConsoleEncoder(zapcore.EncoderConfig{MessageKey: "m"})})
	zap.New(core).Info("one")
	closed(t, core)
	if got := content(t, path); got != "one\n" {
		t.Errorf("got %q", got)
	}
}

type panicking struct{}

func (panicking) MarshalLogObject(zapcore.ObjectEncoder) error { panic("no") }

func TestWrite_ReplacesAFieldThatPanics(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web.log")
	core := New(Options{Path: path})
	log := zap.New(core)
	log.Info("one", zap.Object("bad", panicking{}))
	log.With(zap.Object("bad", panicking{})).Info("two")
	closed(t, core)
	if got := content(t, path); strings.Count(got, `"bad":"PANIC=no"`) != 2 {
		t.Errorf("got %s", got)
	}
}
