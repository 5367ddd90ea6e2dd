package servicelog

import (
	"errors"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

func TestLogger_LevelsAndMessages(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	l := New(zap.New(core, zap.AddCaller()).Named("old").With(zap.String("unit", "web")))
	err := errors.New("boom")
	_, _, line, _ := runtime.Caller(0)
	for i, got := range []error{
		l.Error("cannot listen: ", err),
		l.Warning(1, 2, "a", "b"),
		l.Info("ready\n"),
		l.Errorf("cannot listen: %v", err),
		l.Warningf("%d%%", 9),
		l.Infof("two\nlines\n"),
	} {
		if got != nil {
			t.Errorf("%d: %v", i, got)
		}
	}
	want := []struct {
		level zapcore.Level
		msg   string
	}{
		{zapcore.ErrorLevel, "cannot listen: boom"},
		{zapcore.WarnLevel, "1 2ab"},
		{zapcore.InfoLevel, "ready"},
		{zapcore.ErrorLevel, "cannot listen: boom"},
		{zapcore.WarnLevel, "9%"},
		{zapcore.InfoLevel, "two\nlines"},
	}
	all := logs.All()
	if len(all) != len(want) {
		t.Fatalf("got %d records: %v", len(all), all)
	}
	for i, e := range all {
		if e.Level != want[i].level || e.Message != want[i].msg || e.LoggerName != "old" || e.ContextMap()["unit"] != "web" {
			t.Errorf("got %+v, want %+v", e, want[i])
		}
		if filepath.Base(e.Caller.File) != "servicelog_test.go" || e.Caller.Line != line+2+i || !strings.HasSuffix(e.Caller.Function, t.Name()) {
			t.Errorf("%d: the caller is %+v, want line %d", i, e.Caller, line+2+i)
		}
	}
}

func TestLogger_StackBeginsWithTheCaller(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	_ = New(zap.New(core, zap.AddStacktrace(zapcore.ErrorLevel))).Error("boom")
	first, _, _ := strings.Cut(logs.All()[0].Stack, "\n")
	if !strings.HasSuffix(first, "."+t.Name()) {
		t.Errorf("it begins with %s", first)
	}
}

func TestLogger_OmitsRecordsBelowTheLevel(t *testing.T) {
	core, logs := observer.New(zapcore.WarnLevel)
	l := New(zap.New(core))
	_ = l.Info("no")
	_ = l.Infof("no")
	_ = l.Warning("yes")
	if all := logs.All(); len(all) != 1 || all[0].Message != "yes" {
		t.Errorf("got %v", all)
	}
}

func TestNew_NilWritesNothing(t *testing.T) {
	if err := New(nil).Error("boom"); err != nil {
		t.Error(err)
	}
}
