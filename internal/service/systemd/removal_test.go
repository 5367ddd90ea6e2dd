//go:build unix

package systemd

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// TestRemove_UndoesAllIfItFails lets each call of a removal fail in turn, or ends the wait
// there.
func TestRemove_UndoesAllIfItFails(t *testing.T) {
	why := map[string]error{"it fails": refusal(1, "as asked by the test"), "it is interrupted": context.Canceled}
	for name, failure := range why {
		t.Run(name, func(t *testing.T) {
			for n := 0; ; n++ {
				f, m := newFake(t, false)
				install(t, m, web())
				f.write("/etc/systemd/system/graphical.target.wants/other.service", "") // keeps its folder
				if _, err := m.systemctl(t.Context(), "start", "--", "web.service"); err != nil {
					t.Fatal(err)
				}
				before := f.snapshot()
				f.calls = nil
				seen, failed := 0, ""
				ctx, cancel := context.WithCancel(t.Context())
				run := m.machine.Run
				m.machine.Run = func(c context.Context, name string, args ...string) (string, error) {
					if c.Err() != nil {
						return "", context.Cause(c)
					}
					if args[0] == "show" || args[0] == "reset-failed" {
						return run(c, name, args...)
					}
					if seen++; seen-1 == n {
						failed = args[0]
						if errors.Is(failure, context.Canceled) {
							cancel()
							_, _ = run(c, name, args...) // systemd goes on with it
						}
						return "", failure
					}
					return run(c, name, args...)
				}
				removed, err := manage.Remove(ctx, m, web(), false)
				cancel()
				if failed == "" {
					if err != nil || n != 3 {
						t.Errorf("after %d calls: %v", n, err)
					}
					break
				}
				var u *manage.Unfinished
				if !errors.As(err, &u) || !errors.Is(err, failure) && !strings.Contains(err.Error(), "as asked by the test") || len(removed) > 0 {
					t.Errorf("at %s: %q, %v", failed, removed, err)
					continue
				}
				if after := f.snapshot(); after != before {
					t.Errorf("at %s: left is\n%s\nand there was\n%s", failed, after, before)
				}
				if f.active["web.service"] != "active" || len(f.links("web.service")) != 1 || u.Stopped() || u.Disabled() {
					t.Errorf("at %s: it is %s: %v", failed, f.active["web.service"], err)
				}
				if calls := f.changes(); failed != "stop" && !slices.Contains(calls, "systemctl daemon-reload") {
					t.Errorf("at %s: systemd has not heard that it was undone: %q", failed, calls)
				}
			}
		})
	}
}

func TestRemove_SaysWhatCannotBeUndone(t *testing.T) {
	f, m := newFake(t, false)
	install(t, m, web())
	f.active["web.service"] = "active"
	f.answer = func(call string) (string, error, bool) {
		return "", refusal(1, "as asked by the test"), strings.Contains(call, " daemon-reload") || strings.Contains(call, " start ")
	}
	_, err := manage.Remove(t.Context(), m, web(), false)
	want := "systemctl …: exit code 1: as asked by the test; and this could not be undone: systemctl …: exit code 1: as asked by the test; " +
		"the service ran before, and is stopped now: it could not be started again: systemctl …: exit code 1: as asked by the test"
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}
