package interop

import (
	"context"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/kardianos/service"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/daemon/servicelog"
)

var _ service.Logger = servicelog.New(nil)

func TestWhatIsLoggedAsToKardianosIsInTheLogOfTheRun(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	var line int
	p := daemon.Func(func(ctx context.Context, ready func()) error {
		var old service.Logger = servicelog.New(daemon.Logger(ctx).With(zap.Int("shard", 3)))
		_, _, line, _ = runtime.Caller(0)
		_ = old.Infof("serving at %s", ":8080")
		_ = old.Warning("the certificate ", "ends soon")
		_ = old.Error(context.DeadlineExceeded)
		ready()
		return nil
	})
	if err := daemon.Run(t.Context(), p, daemon.Config{Name: "old", Logger: zap.New(core, zap.AddCaller())}); err != nil {
		t.Fatal(err)
	}
	own := logs.FilterField(zap.Int("shard", 3)).All()
	want := []struct {
		level zapcore.Level
		msg   string
	}{
		{zapcore.InfoLevel, "serving at :8080"},
		{zapcore.WarnLevel, "the certificate ends soon"},
		{zapcore.ErrorLevel, "context deadline exceeded"},
	}
	if len(own) != len(want) {
		t.Fatalf("got %d records of %v", len(own), logs.All())
	}
	for i, e := range own {
		if e.Level != want[i].level || e.Message != want[i].msg {
			t.Errorf("got %+v, want %+v", e, want[i])
		}
		if filepath.Base(e.Caller.File) != "servicelog_test.go" || e.Caller.Line != line+1+i || !strings.Contains(e.Caller.Function, t.Name()) {
			t.Errorf("the caller is %+v, want line %d", e.Caller, line+1+i)
		}
	}
}
