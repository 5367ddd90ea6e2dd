//go:build linux

package windows

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// leaver is a service that leaves a child to itself.
type leaver struct {
	*installed
	notes notebook
}

func newLeaver(t *testing.T, args ...string) *leaver {
	t.Helper()
	s := newService(t, "probe", append([]string{"-leave"}, args...)...)
	l := &leaver{s, s.notebook()}
	t.Cleanup(func() { _ = os.Remove(l.path(".lingers")) })
	return l
}

func (l *leaver) path(suffix string) string {
	return machine.Path("/tmp/" + l.name + ".notes" + suffix)
}

// answers waits until the child has removed a file, as it does while it runs.
func (l *leaver) answers() {
	l.t.Helper()
	if err := os.WriteFile(l.path(".ask"), nil, 0o644); err != nil {
		l.t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(l.path(".ask")); errors.Is(err, fs.ErrNotExist) {
			return
		}
		if time.Now().After(deadline) {
			l.t.Fatal("the child does not answer")
		}
	}
}

// gone waits until the child has ended.
func (l *leaver) gone() {
	l.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		out, err := machine.Run(l.t.Context(), "/bin/sh", "-c", `for p in /proc/[0-9]*/cmdline; do tr "\\0" ' ' <"$p"; echo; done 2>/dev/null`)
		if err != nil {
			l.t.Fatal(err)
		}
		runs := slices.ContainsFunc(strings.Split(out.Stdout, "\n"), func(line string) bool {
			return strings.Contains(line, "-lingers") && strings.Contains(line, `\`+l.name+".notes")
		})
		if !runs {
			return
		}
		if time.Now().After(deadline) {
			l.t.Fatalf("the child runs on: %s", out.Stdout)
		}
	}
}

func TestWhatAServiceHasStartedEndsWithIt(t *testing.T) {
	t.Parallel()
	t.Run("stopped", func(t *testing.T) {
		t.Parallel()
		l := newLeaver(t)
		l.start()
		l.await(running)
		l.answers()
		l.stop()
		l.is(0, 0)
		l.gone()
	})
	t.Run("failed", func(t *testing.T) {
		t.Parallel()
		l := newLeaver(t, "-fail-after=500ms")
		l.start()
		l.await(stopped)
		l.is(errServiceSpecific, 1)
		l.gone()
	})
	t.Run("killed", func(t *testing.T) {
		t.Parallel()
		l := newLeaver(t)
		l.start()
		l.await(running)
		l.answers()
		says(t, "taskkill", "/f", "/pid", strconv.Itoa(int(l.query().PID)))
		l.await(stopped)
		l.gone()
	})
}

func TestWhatAServiceHasStartedLivesOnIfItIsToldSo(t *testing.T) {
	t.Parallel()
	l := newLeaver(t, "-keep-children")
	l.start()
	l.await(running)
	l.answers()
	l.stop()
	l.is(0, 0)
	l.answers()
	if err := os.Remove(l.path(".lingers")); err != nil {
		t.Fatal(err)
	}
	l.gone()
}
