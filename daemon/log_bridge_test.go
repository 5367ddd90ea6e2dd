package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

func observed() (*zap.Logger, *observer.ObservedLogs) {
	core, logs := observer.New(zap.InfoLevel)
	return zap.New(core), logs
}

// recordsIn returns the records of a log as text, with their callers.
func recordsIn(logs *observer.ObservedLogs) string {
	var all []string
	for _, e := range logs.TakeAll() {
		s := e.Level.String() + " " + e.Message
		if e.Caller.Defined {
			s += " in " + e.Caller.Function[strings.LastIndexByte(e.Caller.Function, '.')+1:]
		}
		for k, v := range e.ContextMap() {
			b, _ := json.Marshal(v)
			s += " " + k + "=" + string(b)
		}
		all = append(all, s)
	}
	return strings.Join(all, "; ")
}

// checkRestored checks at the end of the test that slog and log are what they were before.
func checkRestored(t *testing.T) {
	before, out, flags, prefix := slog.Default(), log.Writer(), log.Flags(), log.Prefix()
	t.Cleanup(func() {
		if slog.Default() != before || log.Writer() != out || log.Flags() != flags || log.Prefix() != prefix {
			t.Error("slog or log is not restored")
		}
		slog.SetDefault(before)
		log.SetOutput(out)
		log.SetFlags(flags)
		log.SetPrefix(prefix)
	})
}

func TestRedirect_SlogAndTheStandardLog(t *testing.T) {
	checkRestored(t)
	l, logs := observed()
	restore := redirect(l, nil)
	slog.Warn("from slog", "n", 1, slog.Group("g", "a", "b"))
	slog.Debug("too low")
	slog.Log(t.Context(), slog.LevelWarn-1, "in between")
	log.Print("from log")
	got := recordsIn(logs)
	for _, want := range []string{"warn from slog in TestRedirect_SlogAndTheStandardLog", " n=1", ` g={"a":"b"}`, "; info in between", "; info from log"} {
		if !strings.Contains(got, want) {
			t.Errorf("the log has %q, want %q", got, want)
		}
	}
	if strings.Contains(got, "too low") {
		t.Errorf("the log has %q", got)
	}
	restore()
	if log.Writer() != os.Stderr {
		t.Error("the standard log is not restored")
	}
	if recordsIn(logs) != "" {
		t.Error("it still logs there")
	}
}

func TestRedirect_LeavesWhatTheProgramHasSet(t *testing.T) {
	checkRestored(t)
	var b bytes.Buffer

	log.SetOutput(&b)
	l, logs := observed()
	restore := redirect(l, nil)
	log.Print("from log")
	slog.Info("from slog")
	restore()
	if !strings.Contains(b.String(), "from log") || recordsIn(logs) != "info from slog in TestRedirect_LeavesWhatTheProgramHasSet" {
		t.Errorf("the output of the program has %q", &b)
	}
	log.SetOutput(os.Stderr)

	b.Reset()
	own := slog.New(slog.NewTextHandler(&b, nil))
	before, flags := slog.Default(), log.Flags()
	slog.SetDefault(own)
	restore = redirect(l, nil)
	slog.Info("from slog")
	log.Print("from log")
	restore()
	if slog.Default() != own || strings.Count(b.String(), "from") != 2 || recordsIn(logs) != "" {
		t.Errorf("the output of the program has %q", &b)
	}
	slog.SetDefault(before)
	log.SetOutput(os.Stderr)
	log.SetFlags(flags)
}

func TestRedirect_RestoresOnlyItsOwn(t *testing.T) {
	before, out, flags := slog.Default(), log.Writer(), log.Flags()
	defer func() { slog.SetDefault(before); log.SetOutput(out); log.SetFlags(flags) }()
	l, _ := observed()
	restore := redirect(l, nil)
	own := slog.New(slog.DiscardHandler)
	slog.SetDefault(own)
	log.SetOutput(io.Discard)
	restore()
	if slog.Default() != own || log.Writer() != io.Discard {
		t.Error("the setting of the program was overwritten")
	}
}

func TestSlogHandler_DiscardsWithoutARun(t *testing.T) {
	if SlogHandler(context.Background()).Enabled(t.Context(), slog.LevelError) {
		t.Error("it is enabled")
	}
}

// redirected redirects the standard log to a log of this level, and returns its records.
func redirected(t *testing.T, level zapcore.Level) *observer.ObservedLogs {
	checkRestored(t)
	core, logs := observer.New(level)
	t.Cleanup(redirect(zap.New(core), nil))
	return logs
}

func TestRedirect_LogsPanicsAtAnyLevel(t *testing.T) {
	logs := redirected(t, zap.ErrorLevel)
	func() {
		defer func() { _ = recover() }()
		log.Panicf("no %s", "route")
	}()
	func() {
		defer func() { _ = recover() }()
		log.New(log.Writer(), "own: ", 0).Panicln("of a logger of its own")
	}()
	func() {
		defer func() { log.Print("recovered: ", recover()) }()
		panic("boom")
	}()
	log.Print("too low")
	if got, want := recordsIn(logs), "panic no route; panic own: of a logger of its own; error recovered: boom"; got != want {
		t.Errorf("the log has %q, want %q", got, want)
	}
}

func TestRedirect_LogsAPanicOfAnHTTPHandlerAtAnyLevel(t *testing.T) {
	logs := redirected(t, zap.ErrorLevel)
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") }))
	if r, err := http.Get(s.URL); err == nil {
		_ = r.Body.Close()
		t.Error("got an answer")
	}
	s.Close()
	if got := recordsIn(logs); !strings.HasPrefix(got, "error http: panic serving 127.0.0.1:") || !strings.Contains(got, ": boom\n") {
		t.Errorf("the log has %q", got)
	}
}

func TestRedirect_ObeysSetLogLoggerLevel(t *testing.T) {
	logs := redirected(t, zap.DebugLevel)
	t.Cleanup(func() { slog.SetLogLoggerLevel(slog.LevelInfo) })
	slog.SetLogLoggerLevel(slog.LevelWarn)
	log.Print("a warning")
	if got := recordsIn(logs); got != "warn a warning" {
		t.Errorf("the log has %q", got)
	}
}

func TestRedirect_LogsLastWordsAtAnyLevel(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for how, want := range map[string]string{
		"log.Fatal":  `{"level":"fatal","time":`,
		"log.Panic":  `{"level":"panic","time":`,
		"zap fatal":  `{"level":"fatal","time":`,
		"slog fatal": `{"level":"error","time":`,
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(self, "-test.run=^TestCrash_NextRunLogsHowTheLastOneCrashed$")
			cmd.Env = append(os.Environ(), crashChild+"="+how, "STATE_DIRECTORY="+folder(t), "LOG_TARGET=json", "LOG_LEVEL=error")
			out, err := cmd.Output()
			if err == nil || !strings.HasPrefix(string(out), want) || strings.Count(string(out), "its last words") != 1 {
				t.Errorf("%v\n%s\nwant %s…", err, out, want)
			}
		})
	}
}

func BenchmarkRedirect_StandardLog(b *testing.B) {
	before, out, flags := slog.Default(), log.Writer(), log.Flags()
	defer func() { slog.SetDefault(before); log.SetOutput(out); log.SetFlags(flags) }()
	core := zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(io.Discard), zap.InfoLevel)
	defer redirect(zap.New(core), nil)()
	for b.Loop() {
		log.Print("a line")
	}
}
