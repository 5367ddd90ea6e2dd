package files

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestWhatCannotBeRemovedIsKnownBefore(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can mount, and make files immutable")
	}
	for name, test := range map[string]struct {
		prepare func(t *testing.T, dir, file string)
		want    string // with DIR and FILE
	}{
		"a plain file":                    {func(*testing.T, string, string) {}, ""},
		"no file":                         {func(t *testing.T, _, file string) { must(t, os.Remove(file)) }, ""},
		"a file that nobody may write to": {func(t *testing.T, _, file string) { must(t, os.Chmod(file, 0)) }, ""},
		"a dangling link": {func(t *testing.T, _, file string) {
			must(t, os.Remove(file))
			must(t, os.Symlink("/nowhere", file))
		}, ""},
		"a read-only file system": {func(t *testing.T, dir, _ string) { readOnly(t, dir) }, "FILE cannot be removed: DIR is on a file system that is mounted read-only"},
		"an immutable file":       {func(t *testing.T, _, file string) { flag(t, "i", file) }, "FILE cannot be removed: FILE is immutable (chattr -i FILE)"},
		"an immutable folder":     {func(t *testing.T, dir, _ string) { flag(t, "i", dir) }, "FILE cannot be removed: DIR is immutable (chattr -i DIR)"},
		"an append-only file":     {func(t *testing.T, _, file string) { flag(t, "a", file) }, "FILE cannot be removed: FILE is append-only (chattr -a FILE)"},
		"an append-only folder":   {func(t *testing.T, dir, _ string) { flag(t, "a", dir) }, "FILE cannot be removed: DIR is append-only (chattr -a DIR)"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "web.service")
			must(t, os.WriteFile(file, nil, 0o644))
			test.prepare(t, dir, file)
			got := ""
			err := Tree("").Removable(filepath.Join(dir, "other"), file)
			if err != nil {
				got = strings.NewReplacer(file, "FILE", dir, "DIR").Replace(err.Error())
			}
			if got != test.want || errors.Is(err, fs.ErrPermission) {
				t.Errorf("got %q, want %q, and no want of rights", got, test.want)
			}
			if test.want == "" {
				must(t, Tree("").Begin("web").Remove(file))
			} else if Tree("").Begin("web").Remove(file) == nil {
				t.Error("it can be removed")
			}
		})
	}
}

func TestWithoutRightsNothingIsRemovable(t *testing.T) {
	dir := t.TempDir()
	must(t, errors.Join(os.WriteFile(filepath.Join(dir, "x"), nil, 0o644), os.Chmod(dir, 0o555), os.Chmod(filepath.Dir(dir), 0o755)))
	t.Cleanup(func() { must(t, os.Chmod(dir, 0o755)) })
	got := make(chan error)
	go func() {
		if os.Getuid() == 0 {
			runtime.LockOSThread() // and never unlock it: the thread ends with this goroutine
			const nobody = 65534
			// Not syscall.Setresuid, which changes all threads of the process.
			if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, nobody, nobody, nobody); errno != 0 {
				got <- errno
				return
			}
		}
		got <- Tree(dir).Removable("/x")
	}()
	if err := <-got; !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "cannot be removed") {
		t.Errorf("got %v", err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// readOnly mounts a folder read-only, or skips the test where that is not allowed.
func readOnly(t *testing.T, dir string) {
	t.Helper()
	if err := unix.Mount(dir, dir, "", unix.MS_BIND, ""); err != nil {
		t.Skipf("the test needs the right to mount: %v", err)
	}
	t.Cleanup(func() { must(t, unix.Unmount(dir, 0)) })
	must(t, unix.Mount("", dir, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""))
}

// flag sets a flag, or skips the test where the file system has none.
func flag(t *testing.T, flag, file string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "chattr", "+"+flag, file).CombinedOutput(); err != nil {
		t.Skipf("the file system or the machine has no flags: %v: %s", err, out)
	}
	t.Cleanup(func() { must(t, exec.Command("chattr", "-"+flag, file).Run()) })
}
