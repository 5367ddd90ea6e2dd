package files

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// public is a folder that everybody can look into.
func public(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for _, dir := range []string{root, filepath.Dir(root)} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// asNobody calls f with the file system rights of nobody.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root becomes somebody else")
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends with it
		if _, err := unix.SetfsuidRetUid(65534); err != nil {
			t.Error(err)
			return
		}
		f()
	}()
	<-done
}

func TestAFolderThatCannotBeWrittenIsNamedByTheFile(t *testing.T) {
	root := public(t)
	asNobody(t, func() {
		err := Tree(root).Begin("web").Write("/a", "new", 0o644)
		if err == nil || err.Error() != "write /a: permission denied" {
			t.Errorf("got %v", err)
		}
	})
}
