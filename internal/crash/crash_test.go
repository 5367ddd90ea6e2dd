package crash

import (
	"os"
	"path/filepath"
	"testing"
)

func TestClose_LeavesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "crash")
	child(t, dir, "clean")
	if got := names(t, dir); len(got) != 0 {
		t.Errorf("it left %v", got)
	}
	if got := taken(t, dir); len(got) != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestClose_KeepsACrashInProgress(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "crash")
	o, err := Open(dir, Run{Program: "web"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.file.WriteString("panic: late\n"); err != nil { // like the runtime
		t.Fatal(err)
	}
	if err := o.Close(); err != nil {
		t.Error(err)
	}
	if got := taken(t, dir); len(got) != 1 || got[0].Summary() != "panic: late" {
		t.Errorf("got %+v", got)
	}
}

func TestOpen_FailsWithoutAUsableFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{
		"a folder in none": filepath.Join(t.TempDir(), "none", "crash"), "a file": file, "nothing": "", "a relative path": "crash",
	} {
		t.Run(name, func(t *testing.T) {
			if o, err := Open(dir, Run{}); o != nil || err == nil {
				t.Errorf("got %v", err)
			}
		})
	}
	o, err := Open(t.TempDir(), Run{}) // the failed calls do not count as a run
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Close(); err != nil {
		t.Error(err)
	}
	none := filepath.Join(t.TempDir(), "none")
	if r, err := Take(none, "web"); r != nil || err != nil {
		t.Errorf("Take of no folder: %v, %v", r, err)
	}
	if r, err := List(none); r != nil || err != nil {
		t.Errorf("List of no folder: %v, %v", r, err)
	}
	if _, err := os.Stat(none); err == nil {
		t.Error("to look has made the folder")
	}
}
