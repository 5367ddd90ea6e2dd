package systemd

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/go-glidepath/glidepath/internal/service/manage"
)

func TestRemove_DoesNotStopWhatCannotBeRemoved(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can mount")
	}
	for _, folder := range []string{"/etc/systemd/system", "/etc/systemd/system/multi-user.target.wants", "/var/lib"} {
		f, m := newFake(t, false)
		install(t, m, web())
		f.write("/var/lib/web/data", "")
		f.active["web.service"] = "active"
		dir := f.path(folder)
		if err := unix.Mount(dir, dir, "", unix.MS_BIND, ""); err != nil {
			t.Skipf("the test needs the right to mount: %v", err)
		}
		t.Cleanup(func() { _ = unix.Unmount(dir, 0) })
		if err := unix.Mount("", dir, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
			t.Fatal(err)
		}
		f.calls = nil
		_, err := manage.Remove(t.Context(), m, web(), true)
		wantError(t, err, nil, "cannot be removed: "+folder+" is on a file system that is mounted read-only; nothing has changed")
		if calls := f.changes(); len(calls) > 0 {
			t.Errorf("%s: called was %s", folder, strings.Join(calls, ", "))
		}
		if err := unix.Unmount(dir, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := manage.Remove(t.Context(), m, web(), true); err != nil {
			t.Error(err)
		}
	}
}
