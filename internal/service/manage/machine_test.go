package manage

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/go-glidepath/glidepath/internal/service/system/command"
)

func TestWhatAToolWarnsOfReachesTheOperator(t *testing.T) {
	for said, want := range map[string][]string{
		"Warning: web.service changed on disk.\n":                                               {"systemctl restart: Warning: web.service changed on disk."},
		"Created symlink /etc/a → /etc/b.\nUnit a is added as a dependency to nothing.\n":       {"systemctl restart: Unit a is added as a dependency to nothing."},
		" * WARNING: web has already been started\n\n * and more\n":                             {"systemctl restart: WARNING: web has already been started; and more"},
		"Removed /etc/a.\nSynchronizing state of web.service with x\nExecuting: x enable web\n": nil,
	} {
		var told []string
		m := Machine{
			Run: func(context.Context, string, ...string) (string, error) {
				return "out", &command.Remark{Line: "systemctl restart", Text: said}
			},
			Notice: func(text string) { told = append(told, text) },
		}
		out, err := m.Runner()(t.Context(), "systemctl", "restart")
		if out != "out" || err != nil || !slices.Equal(told, want) {
			t.Errorf("%q: got %q, %v, and told is %q", said, out, err, told)
		}
		m.Notice = nil
		if _, err := m.Runner()(t.Context(), "systemctl", "restart"); err != nil {
			t.Errorf("with nobody to be told it fails: %v", err)
		}
	}
}

func TestAToolThatFailsIsAnErrorAndNoNotice(t *testing.T) {
	failed := &command.Error{Line: "x", Code: 1, Stderr: "no"}
	m := Machine{
		Run:    func(context.Context, string, ...string) (string, error) { return "", failed },
		Notice: func(text string) { t.Errorf("told is %q", text) },
	}
	if _, err := m.Runner()(t.Context(), "x"); !errors.Is(err, failed) {
		t.Errorf("got %v", err)
	}
}
