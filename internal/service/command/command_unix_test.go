//go:build unix

package command

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestACommandThatFailsSaysWhatItHasSaid(t *testing.T) {
	for script, want := range map[string]string{
		"echo no such unit >&2; exit 5": "sh -c echo no such unit >&2; exit 5: exit code 5: no such unit",
		"echo only here; exit 1":        "sh -c echo only here; exit 1: exit code 1: only here",
		"exit 7":                        "sh -c exit 7: exit code 7",
		"kill -9 $$":                    "sh -c kill -9 $$: exit code -1",
	} {
		_, err := Run(t.Context(), "sh", "-c", script)
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v", script, err)
		}
	}
}

func TestTheCodeOfACommand(t *testing.T) {
	_, failed := Run(t.Context(), "sh", "-c", "exit 3")
	out, fine := Run(t.Context(), "sh", "-c", "echo out; echo err >&2")
	if Code(failed) != 3 || Code(fine) != 0 || out != "out\n" || Code(errors.New("x")) != -1 {
		t.Errorf("%d, %d, %q", Code(failed), Code(fine), out)
	}
}

func TestACommandThatIsNotThere(t *testing.T) {
	if _, err := Run(t.Context(), "no-such-command"); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestACommandEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeoutCause(t.Context(), 10*time.Millisecond, errors.New("enough"))
	defer cancel()
	_, err := Run(ctx, "sleep", "60")
	if err == nil || err.Error() != "sleep 60: enough" {
		t.Errorf("got %v", err)
	}
}

func TestACommandSpeaksEnglishAndCannotAsk(t *testing.T) {
	t.Setenv("LC_ALL", "de_DE.UTF-8")
	out, err := Run(t.Context(), "sh", "-c", `echo "$LC_ALL"; read answer || echo nobody`)
	if err != nil || !strings.Contains(out, "C.UTF-8\nnobody\n") {
		t.Errorf("%q, %v", out, err)
	}
}
