package winsvc

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/win32"
)

func TestRemove_LeavesNoTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f := newManager(t)
		withData(f)
		before := f.snapshot()
		for range 2 {
			install(t, m, rich(), false)
			if err := m.Start(t.Context(), rich()); err != nil {
				t.Fatal(err)
			}
			f.services["web"].takes = 5 * time.Second
			removed, err := m.Remove(t.Context(), rich(), true)
			if err != nil {
				t.Fatal(err)
			}
			if want := []string{"service web", `event source "web"`, `the right to write to D:\data`, `folder C:\ProgramData\web`}; !slices.Equal(removed, want) {
				t.Errorf("removed: %q", removed)
			}
			if after := f.snapshot(); after != before {
				t.Errorf("before:\n%s\nafter:\n%s", before, after)
			}
		}
	})
}

func TestRemove_KeepsFoldersWithoutPurge(t *testing.T) {
	m, f := newManager(t)
	install(t, m, web(), false)
	delete(f.keys, strings.ToLower(eventKey("web"))) // not an error
	removed, err := m.Remove(t.Context(), web(), false)
	if err != nil || !slices.Equal(removed, []string{"service web"}) {
		t.Errorf("removed %q, %v", removed, err)
	}
	if f.folders[`C:\ProgramData\web\state`] == "" {
		t.Error("the folders are gone")
	}
	if p := install(t, m, web(), false); p.Artefacts[0].Changed() {
		t.Errorf("the folders change: %+v", p.Artefacts[0])
	}
}

func TestRemove_WaitsForAServiceThatIsOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f := newManager(t)
		f.shut = true
		install(t, m, web(), false)
		s := f.services["web"]
		s.held++
		f.after(5*time.Second, func() { s.held--; f.reap(s) })
		begun := time.Now()
		if removed, err := m.Remove(t.Context(), web(), false); err != nil || len(removed) != 2 || time.Since(begun) < 5*time.Second {
			t.Errorf("removed %q, %v after %s", removed, err, time.Since(begun))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		m, f := newManager(t)
		install(t, m, web(), false)
		s := f.services["web"]
		s.held++
		removed, err := m.Remove(t.Context(), web(), false)
		if err == nil || !strings.Contains(err.Error(), "services.msc") || !slices.Equal(removed, []string{`event source "web"`}) {
			t.Errorf("removed %q, %v", removed, err)
		}
		// A second removal waits for a service that is marked already.
		f.after(5*time.Second, func() { s.held--; f.reap(s) })
		if removed, err := m.Remove(t.Context(), web(), false); err != nil || !slices.Equal(removed, []string{"service web"}) {
			t.Errorf("removed %q, %v", removed, err)
		}
	})
}

func TestRemove_ServiceOfAnotherToolWithOurExecutable(t *testing.T) {
	m, f := newManager(t)
	f.add("web", config{ImagePath: `C:\old\web.exe`, DisplayName: "web"})
	if removed, err := m.Remove(t.Context(), web(), false); err != nil || len(removed) != 1 {
		t.Errorf("removed %q, %v", removed, err)
	}
}

func TestRemove_ContinuesAfterAFailure(t *testing.T) {
	m, f := newManager(t)
	install(t, m, web(), false)
	f.links[`C:\ProgramData\web`] = true
	removed, err := m.Remove(t.Context(), web(), true)
	if err == nil || !strings.Contains(err.Error(), "is a link") || len(removed) != 2 {
		t.Errorf("removed %q, %v", removed, err)
	}
	if f.folders[`C:\ProgramData\web\state`] == "" {
		t.Error("a link was followed")
	}
}

// Whichever call fails, Remove returns an error and continues. Another removal completes it.
func TestRemove_CanBeRepeatedAfterAFailure(t *testing.T) { removeTwice(t, false) }

// Whenever a removal is killed, another one completes it.
func TestRemove_CanBeRepeatedAfterAKill(t *testing.T) { removeTwice(t, true) }

func removeTwice(t *testing.T, killed bool) {
	synctest.Test(t, func(t *testing.T) {
		for n := 1; ; n++ {
			m, f := newManager(t)
			withData(f)
			f.folders[`C:\ProgramData\web`] = ofSSH
			before := f.snapshot()
			install(t, m, rich(), true)
			f.calls, f.failing, f.with, f.broken = nil, n, win32.Errno(31), killed
			_, err := m.Remove(t.Context(), rich(), true)
			calls := len(f.calls)
			if calls < n {
				if err != nil {
					t.Error(err)
				}
				if n < 10 {
					t.Errorf("only %d calls have failed", n-1)
				}
				return
			}
			if err == nil {
				t.Errorf("call %d, %s, failed, but no error was returned", n, f.calls[n-1])
			}
			f.failing, f.broken = 0, false
			if _, err := m.Remove(t.Context(), rich(), true); err != nil && !errors.Is(err, service.ErrNotInstalled) {
				t.Errorf("call %d, %s, has failed; the next time: %v", n, f.calls[n-1], err)
			}
			if after := f.snapshot(); after != before {
				t.Errorf("call %d, %s, has failed. Before:\n%s\nafter:\n%s", n, f.calls[n-1], before, after)
			}
		}
	})
}
