//go:build unix

package systemd

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

func TestApply_DoesWhatPlanSays(t *testing.T) {
	for _, user := range []bool{false, true} {
		for _, s := range []manage.Spec{web(), web(onSocket), web(start(service.Manual)), web(start(service.Disabled)), web(template)} {
			f, m := newFake(t, user)
			p := install(t, m, s)
			if got := f.changes(); !slices.Equal(strip(got), strip(p.Calls)) {
				t.Errorf("%q was called, and %q planned", got, p.Calls)
			}
			for _, a := range p.Artefacts {
				if strings.HasPrefix(a.Name, "/etc/web") {
					if info, err := os.Stat(f.path(a.Name)); err != nil || info.Mode() != 0o755|fs.ModeDir {
						t.Errorf("%s: %v", a.Name, err)
					}
				} else if strings.HasPrefix(a.Name, "/") {
					b, err := os.ReadFile(f.path(a.Name))
					if err != nil || string(b) != a.New {
						t.Errorf("%s: %v", a.Name, err)
					}
				}
			}
			again, err := m.Plan(t.Context(), s, false)
			if err != nil || again.Changed() || !again.Installed || len(again.Calls) != 1 {
				t.Errorf("once more would change %+v, %v", again, err)
			}
		}
	}
}

// strip removes what only planned or only real calls have.
func strip(calls []string) []string {
	out := make([]string, len(calls))
	for i, c := range calls {
		out[i] = strings.ReplaceAll(c, "-- ", "")
	}
	return out
}

func TestApply_UndoesAllWhateverFails(t *testing.T) {
	for name, prepare := range machines {
		t.Run(name, func(t *testing.T) {
			for _, target := range []manage.Spec{web(), web(onTwoSockets), web(start(service.Manual)), web(start(service.Disabled))} {
				for n := 0; ; n++ {
					f, m := newFake(t, false)
					prepare(f, m)
					before := f.snapshot()
					p, err := m.Plan(t.Context(), target, true)
					if err != nil {
						t.Fatal(err)
					}
					f.calls = nil
					seen, failed := 0, ""
					f.answer = func(call string) (string, error, bool) {
						seen++
						if seen-1 != n {
							return "", nil, false
						}
						failed = call
						return "", refusal(1, "as asked by the test"), true
					}
					err = m.Apply(t.Context(), p)
					if failed == "" {
						if err != nil {
							t.Error(err)
						}
						break
					}
					if err == nil {
						if !strings.Contains(failed, " stop ") { // its failure has no consequence
							t.Errorf("%s has failed, and nobody has said so", failed)
						}
						continue
					}
					wantError(t, err, nil, "as asked by the test")
					if after := f.snapshot(); after != before {
						t.Errorf("%s fails: left is\n%s\nand there was\n%s", failed, after, before)
					}
					if last := f.calls[len(f.calls)-1]; p.Changed() && len(f.calls) > 1 && last != "systemctl daemon-reload" {
						t.Errorf("%s fails: systemd has not heard that it was undone: %q", failed, f.calls)
					}
				}
			}
		})
	}
}

func onTwoSockets(s *manage.Spec) {
	onSocket(s)
	s.Sockets = append(s.Sockets, service.Socket{Name: "admin", Network: "unix", Address: "/run/admin"})
}

func TestApply_EnablesByStartType(t *testing.T) {
	for s, want := range map[service.StartType][]string{
		service.Automatic: {"web.service"}, service.Delayed: {"web.service"}, service.Manual: nil, service.Disabled: nil,
		service.OnSocket: {"web-admin.socket", "web-http.socket"},
	} {
		f, m := newFake(t, false)
		install(t, m, web(onTwoSockets, start(s)))
		var enabled []string
		for _, l := range f.links("*") {
			enabled = append(enabled, filepath.Base(l))
		}
		slices.Sort(enabled)
		if !slices.Equal(enabled, want) {
			t.Errorf("%s: enabled is %q, want %q", s, enabled, want)
		}
	}
}

func TestApply_UndoesOtherFilesIfOneFails(t *testing.T) {
	f, m := newFake(t, false)
	p, err := m.Plan(t.Context(), web(onSocket), false)
	if err != nil {
		t.Fatal(err)
	}
	f.write(f.unit("web-http.socket/in the way"), "")
	before := f.snapshot()
	f.calls = nil
	if err := m.Apply(t.Context(), p); err == nil {
		t.Error("it is installed")
	}
	if f.snapshot() != before {
		t.Errorf("left is %s", f.snapshot())
	}
}

func TestApply_UndoesAllWhenContextEnds(t *testing.T) {
	f, m := newFake(t, false)
	p, err := m.Plan(t.Context(), web(), false)
	if err != nil {
		t.Fatal(err)
	}
	before := f.snapshot()
	ctx, cancel := context.WithCancel(t.Context())
	run := m.machine.Run
	m.machine.Run = func(ctx context.Context, name string, args ...string) (string, error) {
		if strings.Contains(strings.Join(args, " "), "enable") {
			cancel()
		}
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		return run(ctx, name, args...)
	}
	if err := m.Apply(ctx, p); !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "taken back") {
		t.Errorf("got %v", err)
	}
	if f.snapshot() != before {
		t.Errorf("left is %s", f.snapshot())
	}
}

func TestApply_UndoesWhatCannotBeLoaded(t *testing.T) {
	f, m := newFake(t, false)
	before := f.snapshot()
	p, err := m.Plan(t.Context(), web(), false)
	if err != nil {
		t.Fatal(err)
	}
	f.show["web.service"] = map[string]string{"LoadState": "bad-setting", "LoadError": `org.freedesktop.systemd1.BadUnitSetting "Unit web.service has a bad unit file setting."`}
	wantError(t, m.Apply(t.Context(), p), nil, "bad unit file setting", "systemd-analyze verify")
	if f.snapshot() != before {
		t.Errorf("left is %s", f.snapshot())
	}
}

func TestApply_RemovesUnwantedSockets(t *testing.T) {
	f, m := newFake(t, false)
	machines["one with other sockets"](f, m)
	f.write(f.unit("web-admin.socket"), "[Socket]\nListenStream=5\nService=web.service\n") // not ours
	p := install(t, m, web(onSocket))
	for _, gone := range []string{"web-old.socket", "web-older.socket"} {
		if _, ok := f.text(gone); ok || len(f.links(gone)) > 0 {
			t.Errorf("%s is there", gone)
		}
		if !slices.Contains(f.changes(), "systemctl stop -- "+gone) {
			t.Errorf("%s listens on: %q", gone, f.changes())
		}
	}
	if _, ok := f.text("web-admin.socket"); !ok {
		t.Error("that of somebody else is gone")
	}
	if len(f.links("web-http.socket")) != 1 {
		t.Error("the new one is not enabled")
	}
	if !slices.Contains(p.Calls, "systemctl disable web-old.socket") {
		t.Errorf("the calls were to be %q", p.Calls)
	}
}

func TestApply_WithoutRightsUndoesNothing(t *testing.T) {
	f, m := newFake(t, false)
	p, err := m.Plan(t.Context(), web(), false)
	if err != nil {
		t.Fatal(err)
	}
	f.calls = nil
	if got := m.fileError(&fs.PathError{Op: "open", Path: "/etc", Err: fs.ErrPermission}); !errors.Is(got, service.ErrPermission) || !strings.Contains(got.Error(), "sudo") {
		t.Errorf("got %v", got)
	}
	f.write(f.unit("web.service/in the way"), "")
	if err := m.Apply(t.Context(), p); err == nil || len(f.calls) > 0 {
		t.Errorf("got %v, and %q was called", err, f.calls)
	}
}

func TestApply_ReopensUnusedSocketAtNewAddress(t *testing.T) {
	moved := web(onSocket, func(s *manage.Spec) { s.Sockets[0].Address = ":8081" })
	for state, want := range map[string]string{
		"inactive": "systemctl restart -- web-http.socket", // the service; nobody has the socket
		"active":   "",
	} {
		t.Run("while the service is "+state, func(t *testing.T) {
			f, m := newFake(t, false)
			install(t, m, web(onSocket))
			f.active["web.service"], f.active["web-http.socket"] = state, "active"
			f.calls = nil
			p := install(t, m, moved)
			calls := strings.Join(f.changes(), ", ")
			if strings.Contains(calls, "restart") != (want != "") || !strings.Contains(calls, want) {
				t.Errorf("%s was called", calls)
			}
			if told := strings.Contains(strings.Join(p.Warnings, "\n"), "web-http.socket uses its new address after a restart"); told != (want == "") {
				t.Errorf("it warns of %q", p.Warnings)
			}
		})
	}
}

func TestRestart_OpensMovedSocket(t *testing.T) {
	f, m := newFake(t, false)
	install(t, m, web(onSocket))
	f.active["web.service"], f.active["web-http.socket"] = "active", "failed"
	f.calls = nil
	if err := m.Restart(t.Context(), web(onSocket)); err != nil {
		t.Fatal(err)
	}
	want := []string{"systemctl stop -- web.service web-http.socket", "systemctl start -- web-http.socket", "systemctl restart -- web.service"}
	if got := f.changes(); !slices.Equal(got, want) {
		t.Errorf("called was %q, want %q", got, want)
	}
}
