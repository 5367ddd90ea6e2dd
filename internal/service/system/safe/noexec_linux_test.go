package safe

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestAFileSystemFromWhichNothingMayBeExecutedIsAProblem(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can mount")
	}
	dir, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "web")
	if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NOEXEC, "size=1m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	file, link := filepath.Join(dir, "web"), filepath.Join(dir, "link")
	for _, name := range []string{file, elsewhere} {
		if err := os.WriteFile(name, []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(elsewhere, link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{elsewhere, link} { // a link that leads out of it
		if why, remedy := Barred(name); why != "" || remedy != "" {
			t.Errorf("%s: %s %s", name, why, remedy)
		}
	}
	if why, remedy := Barred(file); !strings.Contains(why, "noexec") || remedy == "" {
		t.Errorf("got %q, %q", why, remedy)
	}
}
