//go:build linux

package inittest

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/script"
	"github.com/go-glidepath/glidepath/internal/service/system/account"
	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

// Life is a whole one, twice.
func (b Bed) Life(t *testing.T, m manage.Manager) {
	notes := "/var/lib/life/notes " + strings.NewReplacer("/", "", "\x00", "").Replace(Nasty)
	s := b.Spec(t, "life", "-notes="+notes, "-reload=ok")
	book := testbed.NewNotebook(t, b.Machine.Path(notes))
	begin := b.snapshot(t)
	for range 2 {
		Expect(t, m, s, service.NotInstalled)
		Install(t, m, s)
		st := Expect(t, m, s, service.Stopped)
		if st.StartType != service.Automatic {
			t.Errorf("its start is %q", st.StartType)
		}
		b.start(t, m, s)
		st = Expect(t, m, s, service.Running)
		if since := time.Since(st.Since); since < 0 || since > 10*time.Second {
			t.Errorf("it runs since %s", st.Since)
		}
		b.looks(t, s, st.PID)
		book.Await("started")
		if err := m.Start(t.Context(), s); err != nil {
			t.Errorf("start again: %v", err)
		}
		if same := Expect(t, m, s, service.Running); same.PID != st.PID {
			t.Errorf("a start of what runs has made process %d of %d", same.PID, st.PID)
		}

		if err := m.Reload(t.Context(), s); err != nil {
			t.Error(err)
		}
		book.Await("reloaded")
		if same := Expect(t, m, s, service.Running); same.PID != st.PID {
			t.Errorf("a reload has made process %d of %d", same.PID, st.PID)
		}

		if err := m.Restart(t.Context(), s); err != nil {
			t.Error(err)
		}
		other := Expect(t, m, s, service.Running)
		if other.PID == st.PID {
			t.Error("a restart has kept the process")
		}
		if n := book.Count("stopped"); n != 1 {
			t.Errorf("it has stopped %d times", n)
		}

		s2 := s
		s2.Arguments = append(slices.Clone(s.Arguments), "-able")
		Install(t, m, s2)
		if same := Expect(t, m, s, service.Running); same.PID != other.PID {
			t.Error("an update has restarted the service")
		}
		if err := m.Restart(t.Context(), s2); err != nil {
			t.Error(err)
		}
		b.looks(t, s2, Expect(t, m, s2, service.Running).PID)

		if err := m.Stop(t.Context(), s); err != nil {
			t.Error(err)
		}
		Expect(t, m, s, service.Stopped)
		if n := book.Count("stopped"); n != 3 {
			t.Errorf("it has stopped %d times", n)
		}
		if err := m.Stop(t.Context(), s); err != nil {
			t.Errorf("stop again: %v", err)
		}
		if err := m.Reload(t.Context(), s); !errors.Is(err, service.ErrNotRunning) {
			t.Errorf("reload of what does not run: %v", err)
		}
		var log bytes.Buffer
		if err := m.Logs(t.Context(), s, manage.LogQuery{LogOptions: service.LogOptions{Lines: 1}}, &log); err != nil || !strings.Contains(log.String(), "stopped") {
			t.Errorf("the last line of its log is %q, %v", log.String(), err)
		}

		b.start(t, m, s)
		pid := Expect(t, m, s, service.Running).PID
		removed, err := m.Remove(t.Context(), s, true)
		if err != nil {
			t.Error(err)
		}
		t.Logf("removed %q", removed)
		Expect(t, m, s, service.NotInstalled)
		if _, alive := script.Look(b.Service().Tree, pid); alive {
			t.Error("it was removed and still runs")
		}
		if _, err := m.Remove(t.Context(), s, true); !errors.Is(err, service.ErrNotInstalled) {
			t.Errorf("remove again: %v", err)
		}
		if end := b.snapshot(t); !maps.Equal(begin, end) {
			for p := range end {
				if _, ok := begin[p]; !ok {
					t.Errorf("there is left %s", p)
				}
			}
			for p := range begin {
				if _, ok := end[p]; !ok {
					t.Errorf("there is gone %s", p)
				}
			}
		}
	}
}

func (b Bed) start(t *testing.T, m manage.Manager, s manage.Spec) {
	t.Helper()
	if err := m.Start(t.Context(), s); err != nil {
		log, err2 := os.ReadFile(b.Machine.Path(script.InitD(s).Log))
		t.Fatalf("%v; its log, %v: %s", err, err2, log)
	}
}

// looks asserts what a process of the service is like.
func (b Bed) looks(t *testing.T, s manage.Spec, pid int) {
	t.Helper()
	proc := b.Machine.Path("/proc/" + strconv.Itoa(pid))
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(proc, name))
		if err != nil {
			t.Error(err)
		}
		return string(text)
	}
	if got, want := read("cmdline"), strings.Join(append([]string{s.Executable}, s.Arguments...), "\x00")+"\x00"; got != want {
		t.Errorf("its command line is\n%q, want\n%q", got, want)
	}
	got := strings.Split(read("environ"), "\x00")
	l := script.InitD(s)
	want := maps.Clone(s.Environment)
	for _, v := range l.Dirs.Vars() {
		want[v.Name] = v.Dir
	}
	for name, value := range want {
		if !slices.Contains(got, name+"="+value) {
			t.Errorf("there is no %s=%s in its environment %q", name, value, got)
		}
	}
	if dir, _ := os.Readlink(filepath.Join(proc, "cwd")); dir != l.Dirs.State {
		t.Errorf("its directory is %q", dir)
	}
	a, exists, err := account.Find(t.Context(), b.Service(), account.Name(s.ServiceName()))
	if err != nil || !exists || a.UID == 0 || !a.Own(s.ServiceName()) {
		t.Fatalf("the account is %+v, %t, %v", a, exists, err)
	}
	status := read("status")
	for _, line := range []string{
		fmt.Sprintf("Uid:\t%d\t%d\t%d\t%d", a.UID, a.UID, a.UID, a.UID),
		fmt.Sprintf("Gid:\t%d\t%d\t%d\t%d", a.GID, a.GID, a.GID, a.GID),
		fmt.Sprintf("Groups:\t%d ", a.GID), "Umask:\t0077",
		"CapPrm:\t0000000000000000", "CapAmb:\t0000000000000000",
	} {
		if !strings.Contains(status, "\n"+line) {
			t.Errorf("it has no %q in %s", line, status)
		}
	}
	for p, mode := range map[string]os.FileMode{
		l.Dirs.State: 0o700, l.Dirs.Cache: 0o700, l.Dirs.Logs: 0o700, l.Dirs.Runtime: 0o700, l.Dirs.Configuration: 0o750, l.Log: 0o600,
	} {
		uid := a.UID
		if p == l.Dirs.Configuration {
			uid = 0
		}
		info, err := os.Stat(b.Machine.Path(p))
		if err != nil {
			t.Error(err)
			continue
		}
		st, _ := info.Sys().(*syscall.Stat_t)
		if info.Mode().Perm() != mode || int(st.Uid) != uid || int(st.Gid) != a.GID {
			t.Errorf("%s has mode %v, user %d and group %d; want %v, %d and %d", p, info.Mode(), st.Uid, st.Gid, mode, uid, a.GID)
		}
	}
}

func (b Bed) remove(t *testing.T, m manage.Manager, s manage.Spec) {
	t.Helper()
	if _, err := m.Remove(t.Context(), s, true); err != nil {
		t.Error(err)
	}
}
