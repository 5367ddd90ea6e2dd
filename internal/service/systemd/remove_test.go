//go:build unix

package systemd

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/test/ownedtest"
)

func TestRemove_LeavesNothing(t *testing.T) {
	for _, user := range []bool{false, true} {
		f, m := newFake(t, user)
		before := f.snapshot()
		s := web(onSocket)
		install(t, m, s)
		f.active["web.service"], f.active["web-http.socket"] = "active", "active"
		f.calls = nil
		gone := []string{f.unit("web-http.socket"), f.unit("web.service")}
		if !user {
			gone = append(gone, "/etc/web")
		}
		removed, err := m.Remove(t.Context(), s, false)
		if err != nil || !slices.Equal(removed, gone) {
			t.Errorf("removed %q, %v", removed, err)
		}
		if f.snapshot() != before {
			t.Errorf("left is %s", f.snapshot())
		}
		prefix := "systemctl "
		if user {
			prefix += "--user "
		}
		want := []string{"stop -- web.service web-http.socket", "disable -- web-http.socket web.service", "daemon-reload", "reset-failed -- web.service"}
		for i := range want {
			want[i] = prefix + want[i]
		}
		if got := f.changes(); !slices.Equal(got, want) {
			t.Errorf("called was %q, want %q", got, want)
		}
		_, err = m.Remove(t.Context(), s, false)
		wantError(t, err, service.ErrNotInstalled)
	}
}

func TestRemove_ClosesListeningSocket(t *testing.T) {
	f, m := newFake(t, false)
	install(t, m, web(onSocket))
	f.active["web-http.socket"] = "active"
	if _, err := m.Remove(t.Context(), web(), false); err != nil {
		t.Fatal(err)
	}
	if f.active["web-http.socket"] == "active" {
		t.Error("it listens on")
	}
}

func TestRemove_KeepsConfiguration(t *testing.T) {
	f, m := newFake(t, false)
	install(t, m, web())
	f.write("/etc/web/web.yaml", "")
	if removed, err := m.Remove(t.Context(), web(), false); err != nil || slices.Contains(removed, "/etc/web") {
		t.Errorf("removed %q, %v", removed, err)
	}
	if _, err := os.Stat(f.path("/etc/web/web.yaml")); err != nil {
		t.Error(err)
	}
}

func TestRemove_TemplateWithLastInstance(t *testing.T) {
	f, m := newFake(t, false)
	before := f.snapshot()
	install(t, m, web(template))
	f.answer = func(call string) (string, error, bool) {
		return "web@a.service loaded active running x\nweb@c.service loaded inactive dead x\nweb@d.service loaded failed failed x\n", nil, strings.Contains(call, "list-units")
	}
	removed, err := m.Remove(t.Context(), web(template), false)
	if err != nil || !slices.Equal(removed, []string{f.unit("web@.service"), "/etc/web/a"}) {
		t.Errorf("removed %q, %v", removed, err)
	}
	if f.snapshot() != before {
		t.Errorf("left is %s", f.snapshot())
	}
}

func TestRemove_LeavesFilesIfItFails(t *testing.T) {
	for _, failing := range []string{"stop", "disable", "daemon-reload"} {
		f, m := newFake(t, false)
		install(t, m, web())
		f.active["web.service"] = "active"
		f.answer = func(call string) (string, error, bool) {
			return "", refusal(1, "as asked by the test"), strings.Contains(call, " "+failing)
		}
		_, err := m.Remove(t.Context(), web(), true)
		if err == nil {
			t.Errorf("%s has failed, and nobody has said so", failing)
		}
		if _, ok := f.text("web.service"); !ok {
			t.Errorf("%s has failed, and the unit is gone", failing)
		}
	}
}

func TestRemove_PurgesDirectories(t *testing.T) {
	f, m := newFake(t, false)
	install(t, m, web())
	for _, d := range []string{"/var/lib/private/web/x", "/var/cache/web/x", "/var/log/web/x", "/etc/web/x", "/var/lib/webber/x", "/etc/webber"} {
		f.write(d, "")
	}
	_ = os.Symlink("private/web", f.path("/var/lib/web"))
	if _, err := m.Remove(t.Context(), web(), true); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{"/var/lib/private/web", "/var/lib/web", "/var/cache/web", "/var/log/web", "/etc/web"} {
		if _, err := os.Lstat(f.path(d)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", d, err)
		}
	}
	for _, d := range []string{"/var/lib/webber/x", "/etc/webber"} {
		if _, err := os.Lstat(f.path(d)); err != nil {
			t.Error(err)
		}
	}
}

func TestRemove_KeepsTemplateForOtherInstances(t *testing.T) {
	for name, prepare := range map[string]func(*fake, *Manager){
		"enabled": func(f *fake, m *Manager) { install(f.t, m, web(template, func(s *manage.Spec) { s.Instance = "b" })) },
		"active": func(f *fake, _ *Manager) {
			f.answer = func(call string) (string, error, bool) {
				return "web@b.service loaded active running Serves the web (b)\nweb@c.service loaded inactive dead x\n", nil, strings.Contains(call, "list-units")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, m := newFake(t, false)
			install(t, m, web(template))
			prepare(f, m)
			removed, err := m.Remove(t.Context(), web(template), false)
			if err != nil || !slices.Equal(removed, []string{"web@a.service", "/etc/web/a"}) {
				t.Errorf("removed %q, %v", removed, err)
			}
			if _, ok := f.text("web@.service"); !ok {
				t.Error("the unit is gone")
			}
			if len(f.links("web@a.service")) > 0 {
				t.Error("it is still enabled")
			}
			_, err = m.Remove(t.Context(), web(template, func(s *manage.Spec) { s.Instance = "" }), false)
			wantError(t, err, nil, "web@b")
		})
	}
}

func TestRemove_KeepsSocketsOfAnotherService(t *testing.T) {
	f, m := newFake(t, false)
	other := web(onSocket)
	other.Name = "web-x"
	install(t, m, other)
	install(t, m, web())
	if _, err := m.Remove(t.Context(), web(), false); err != nil {
		t.Fatal(err)
	}
	found, _ := filepath.Glob(f.path(f.unit("web-x*")))
	if len(found) != 2 {
		t.Errorf("found %q", found)
	}
}

func TestRemove_KeepsFoldersOfOthers(t *testing.T) {
	f, m := newFake(t, false)
	ownedtest.Run(t, m, web(), m.machine.Tree, m.Folders(web()))
	f.write("/var/lib/private/web/data", "theirs")
	if _, err := m.Plan(t.Context(), web(), false); !errors.Is(err, service.ErrForeign) {
		t.Errorf("of a dynamic user of that name: %v", err)
	}
}

func TestRemove_FinishesKilledUninstall(t *testing.T) {
	for _, purge := range []bool{false, true} {
		f, m := newFake(t, false)
		before := f.snapshot()
		install(t, m, web())
		if err := f.disable([]string{"web.service"}); err != nil {
			t.Fatal(err)
		}
		// It was killed here: the unit has been moved away, and systemd has not noticed.
		if err := os.Rename(f.path(f.unit("web.service")), f.path(f.unit(".web.glidepath0.old"))); err != nil {
			t.Fatal(err)
		}
		f.show["web.service"] = map[string]string{"LoadState": "loaded", "FragmentPath": f.unit("web.service")}
		f.active["web.service"] = "active" // somebody has started it again
		f.calls = nil
		if _, err := m.Remove(t.Context(), web(), purge); err != nil {
			t.Fatal(err)
		}
		want := []string{"systemctl stop -- web.service", "systemctl daemon-reload", "systemctl reset-failed -- web.service"}
		if got := f.changes(); !slices.Equal(got, want) {
			t.Errorf("it calls %q, want %q", got, want)
		}
		if after := f.snapshot(); after != before {
			t.Errorf("there is left\n%s", after)
		}
		delete(f.show, "web.service")
		if _, err := m.Remove(t.Context(), web(), purge); !errors.Is(err, service.ErrNotInstalled) {
			t.Errorf("the second time: %v", err)
		}
	}
}

func TestRemove_KeepsFoldersThatUserHad(t *testing.T) {
	f, m := newFake(t, true)
	f.write("/home/me/.local/state/web/data", "theirs")
	p := install(t, m, web())
	if !slices.ContainsFunc(p.Warnings, func(w string) bool {
		return strings.HasPrefix(w, "/home/me/.local/state/web was there before: it is used as it is")
	}) {
		t.Errorf("it warns of %q", p.Warnings)
	}
	f.write("/home/me/.cache/web/data", "its own")
	if removed, err := m.Remove(t.Context(), web(), true); err != nil || !slices.Contains(removed, "/home/me/.cache/web") {
		t.Errorf("removed %q, %v", removed, err)
	}
	if text := f.snapshot(); !strings.Contains(text, "/home/me/.local/state/web/data") || strings.Contains(text, ".glidepath") {
		t.Errorf("there is left\n%s", text)
	}
}
