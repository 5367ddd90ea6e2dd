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

// said is what is in a log, and where it was said.
func said(logs *observer.ObservedLogs) string {
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

// standard is what slog and log are before and have to be afterwards.
func standard(t *testing.T) {
	before, out, flags, prefix := slog.Default(), log.Writer(), log.Flags(), log.Prefix()
	t.Cleanup(func() {
		if slog.Default() != before || log.Writer() != out || log.Flags() != flags || log.Prefix() != prefix {
			t.Error("they are not given back")
		}
		slog.SetDefault(before)
		log.SetOutput(out)
		log.SetFlags(flags)
		log.SetPrefix(prefix)
	})
}

func TestSlogAndTheStandardLogGoToTheLog(t *testing.T) {
	standard(t)
	l, logs := observed()
	restore := redirect(l, nil)
	slog.Warn("from slog", "n", 1, slog.Group("g", "a", "b"))
	slog.Debug("too low")
	slog.Log(t.Context(), slog.LevelWarn-1, "in between")
	log.Print("from log")
	got := said(logs)
	for _, want := range []string{"warn from slog in TestSlogAndTheStandardLogGoToTheLog", " n=1", ` g={"a":"b"}`, "; info in between", "; info from log"} {
		if !strings.Contains(got, want) {
			t.Errorf("in the log is %q, want %q", got, want)
		}
	}
	if strings.Contains(got, "too low") {
		t.Errorf("in the log is %q", got)
	}
	restore()
	if log.Writer() != os.Stderr {
		t.Error("the standard log is not what it was")
	}
	if said(logs) != "" {
		t.Error("it goes on")
	}
}

func TestWhatAProgramHasLedElsewhereStaysThere(t *testing.T) {
	standard(t)
	var b bytes.Buffer

	log.SetOutput(&b)
	l, logs := observed()
	restore := redirect(l, nil)
	log.Print("from log")
	slog.Info("from slog")
	restore()
	if !strings.Contains(b.String(), "from log") || said(logs) != "info from slog in TestWhatAProgramHasLedElsewhereStaysThere" {
		t.Errorf("elsewhere is %q", &b)
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
	if slog.Default() != own || strings.Count(b.String(), "from") != 2 || said(logs) != "" {
		t.Errorf("elsewhere is %q", &b)
	}
	slog.SetDefault(before)
	log.SetOutput(os.Stderr)
	log.SetFlags(flags)
}

func TestWhatAProgramLeadsElsewhereMeanwhileStaysThere(t *testing.T) {
	before, out, flags := slog.Default(), log.Writer(), log.Flags()
	defer func() { slog.SetDefault(before); log.SetOutput(out); log.SetFlags(flags) }()
	l, _ := observed()
	restore := redirect(l, nil)
	own := slog.New(slog.DiscardHandler)
	slog.SetDefault(own)
	log.SetOutput(io.Discard)
	restore()
	if slog.Default() != own || log.Writer() != io.Discard {
		t.Error("it was taken back")
	}
}

func TestAHandlerWithoutARunDiscards(t *testing.T) {
	if SlogHandler(context.Background()).Enabled(t.Context(), slog.LevelError) {
		t.Error("it does not")
	}
}

// leads leads the standard log to a log of a level, and returns what that has.
func leads(t *testing.T, level zapcore.Level) *observer.ObservedLogs {
	standard(t)
	core, logs := observer.New(level)
	t.Cleanup(redirect(zap.New(core), nil))
	return logs
}

func TestWhatIsPrintedInAPanicComesOutWhateverTheLevel(t *testing.T) {
	logs := leads(t, zap.ErrorLevel)
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
	if got, want := said(logs), "panic no route; panic own: of a logger of its own; error recovered: boom"; got != want {
		t.Errorf("in the log is %q, want %q", got, want)
	}
}

func TestAHandlerOfHTTPThatPanicsIsHeardOfAtAnyLevel(t *testing.T) {
	logs := leads(t, zap.ErrorLevel)
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") }))
	if r, err := http.Get(s.URL); err == nil {
		_ = r.Body.Close()
		t.Error("there is an answer")
	}
	s.Close()
	if got := said(logs); !strings.HasPrefix(got, "error http: panic serving 127.0.0.1:") || !strings.Contains(got, ": boom\n") {
		t.Errorf("in the log is %q", got)
	}
}

func TestALineOfTheStandardLogHasTheLevelThatTheProgramHasSet(t *testing.T) {
	logs := leads(t, zap.DebugLevel)
	t.Cleanup(func() { slog.SetLogLoggerLevel(slog.LevelInfo) })
	slog.SetLogLoggerLevel(slog.LevelWarn)
	log.Print("a warning")
	if got := said(logs); got != "warn a warning" {
		t.Errorf("in the log is %q", got)
	}
}

func TestWhatAProgramPrintsBeforeItDiesComesOutWhateverTheLevel(t *testing.T) {
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
			cmd := exec.Command(self, "-test.run=^TestTheNextRunTellsHowTheLastOneCrashed$")
			cmd.Env = append(os.Environ(), crashChild+"="+how, "STATE_DIRECTORY="+folder(t), "LOG_TARGET=json", "LOG_LEVEL=error")
			out, err := cmd.Output()
			if err == nil || !strings.HasPrefix(string(out), want) || strings.Count(string(out), "its last words") != 1 {
				t.Errorf("%v\n%s\nwant %s…", err, out, want)
			}
		})
	}
}

func BenchmarkALineOfTheStandardLog(b *testing.B) {
	before, out, flags := slog.Default(), log.Writer(), log.Flags()
	defer func() { slog.SetDefault(before); log.SetOutput(out); log.SetFlags(flags) }()
	core := zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(io.Discard), zap.InfoLevel)
	defer redirect(zap.New(core), nil)()
	for b.Loop() {
		log.Print("a line")
	}
}
