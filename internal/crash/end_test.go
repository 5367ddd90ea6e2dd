package crash

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// opened opens the output of a run of this process.
func opened(t *testing.T, dir string) *Output {
	t.Helper()
	o, err := Open(dir, Run{Program: "web"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.Close() })
	return o
}

func TestLast_UntilTheNextRunBegins(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "crash")
	if e, err := Last(dir, "web"); e != nil || err != nil {
		t.Errorf("before there was a run: %+v, %v", e, err)
	}
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	want := End{
		Version: "v1", Began: began, Ended: began.Add(time.Hour), Code: 124,
		Trigger: "stop", Detail: "SERVICE_CONTROL_STOP", Error: "gave up",
	}
	for range 2 { // the second time, a file exists already
		o := opened(t, dir)
		if e, err := Last(dir, "web"); e != nil || err != nil {
			t.Errorf("while it runs: %+v, %v", e, err)
		}
		if err := o.Keep(want); err != nil {
			t.Fatal(err)
		}
		if err := o.Close(); err != nil {
			t.Fatal(err)
		}
		want.PID = os.Getpid()
		if e, err := Last(dir, "web"); err != nil || !reflect.DeepEqual(e, &want) {
			t.Errorf("after it: %+v, %v; want %+v", e, err, want)
		}
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*")); len(files) != 1 {
		t.Errorf("there is %q", files)
	}
	if reports, err := Take(dir, "web"); len(reports) > 0 || err != nil {
		t.Errorf("it is taken for a crash: %+v, %v", reports, err)
	}
}

func TestKeep_LeavesTheEndOfAnotherProgramAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "crash")
	o := opened(t, dir)
	if err := o.Keep(End{Code: 1}); err != nil {
		t.Fatal(err)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	child, err := Open(dir, Run{Program: "helper"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = child.Close() }()
	if err := child.Keep(End{Code: 2}); err != nil {
		t.Fatal(err)
	}
	if e, err := Last(dir, "web"); err != nil || e == nil || e.Code != 1 {
		t.Errorf("%+v, %v", e, err)
	}
}

func TestKeep_ReplacesAHalfWrittenFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "crash")
	o := opened(t, dir)
	if err := os.WriteFile(filepath.Join(dir, endName("web")+tempSuffix), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := o.Keep(End{Code: 1}); err != nil {
		t.Fatal(err)
	}
	if e, err := Last(dir, "web"); err != nil || e == nil || e.Code != 1 {
		t.Errorf("%+v, %v", e, err)
	}
}

func TestLast_BoundsTextAndControlsNoTerminal(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "crash")
	o := opened(t, dir)
	if err := o.Keep(End{Error: "a\nb\x1b[2J" + strings.Repeat("ü", 1<<20)}); err != nil {
		t.Fatal(err)
	}
	e, err := Last(dir, "web")
	if err != nil || e == nil || !strings.HasPrefix(e.Error, "a b\uFFFD[2Jü") || len(e.Error) > maxWord+3 {
		t.Errorf("%+v, %v", e, err)
	}
	if err := os.WriteFile(filepath.Join(dir, endName("web")), []byte(`{"code":1,"err`), 0o600); err != nil {
		t.Fatal(err)
	}
	if e, err := Last(dir, "web"); e != nil || err != nil {
		t.Errorf("cut off: %+v, %v", e, err)
	}
}

func TestKeep_OfNilDoesNothing(t *testing.T) {
	if err := (*Output)(nil).Keep(End{}); err != nil {
		t.Error(err)
	}
}

func TestKeep_Fails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "crash")
	o := opened(t, dir)
	if err := os.Mkdir(filepath.Join(dir, endName("web")+tempSuffix), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, endName("web")+tempSuffix, "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := o.Keep(End{}); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
