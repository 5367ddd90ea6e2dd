//go:build unix

package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
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

func TestACommandThatSucceedsAndWarnsIsARemark(t *testing.T) {
	out, err := Run(t.Context(), "sh", "-c", "echo out; echo 'Warning: careful' >&2")
	var r *Remark
	if !errors.As(err, &r) || r.Text != "Warning: careful\n" || !strings.HasPrefix(r.Line, "sh -c ") || out != "out\n" {
		t.Errorf("got %q, %v", out, err)
	}
	if _, err := Run(t.Context(), "sh", "-c", "echo out; echo >&2"); err != nil {
		t.Errorf("an empty line is %v", err)
	}
}

func TestLongFlagsAreNotRead(t *testing.T) {
	long := strings.Repeat("é", 50)
	_, err := Run(t.Context(), "sh", "-c", "exit 1", "--"+long, long)
	if want := "sh -c exit 1 --" + long[:2*38] + "… " + long + ": exit code 1"; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
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
	t.Setenv("LANGUAGE", "de")
	out, err := Run(t.Context(), "sh", "-c", `echo "$LANGUAGE$LC_ALL"; read answer || echo nobody`)
	if err != nil || out != "C.UTF-8\nnobody\n" {
		t.Errorf("%q, %v", out, err)
	}
}

func TestCtrlCIsNotForACommandThatIsWaitedFor(t *testing.T) {
	const child = "SAY_GROUP"
	if os.Getenv(child) != "" {
		fmt.Println(unix.Getpgid(0))
		os.Exit(0)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(child, "1")
	only := "-test.run=^" + t.Name() + "$"
	apart, err := Run(t.Context(), self, only)
	var with strings.Builder
	if err := errors.Join(err, Stream(t.Context(), &with, nil, self, only)); err != nil {
		t.Fatal(err)
	}
	if own := fmt.Sprintln(unix.Getpgid(0)); apart == own || with.String() != own {
		t.Errorf("the group is %s, that of Run %s, that of Stream %s", own, apart, &with)
	}
}

func TestToolsOfRootAreFoundWithoutHisPath(t *testing.T) {
	dir, sbin := t.TempDir(), t.TempDir()
	for _, file := range []string{dir + "/both", sbin + "/both", sbin + "/theirs"} {
		if err := os.WriteFile(file, []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	for name, want := range map[string]string{"both": "both", "theirs": sbin + "/theirs", "none": "none", "/x/theirs": "/x/theirs"} {
		if got := find(name, []string{"/nowhere", sbin}); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	out, err := Run(t.Context(), "/bin/sh", "-c", `echo "$PATH"`)
	if err != nil || out != dir+":/usr/local/sbin:/usr/sbin:/sbin\n" {
		t.Errorf("what they call is looked for in %s, %v", out, err)
	}
	if _, err := Run(t.Context(), "there-is-none"); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestACommandThatLeavesSomethingBehindHasEndedWell(t *testing.T) {
	var out, complaints bytes.Buffer
	cmd := command(t.Context(), "sh", "-c", "sleep 1 & echo done")
	cmd.WaitDelay = 100 * time.Millisecond
	if err := run(t.Context(), cmd, &out, &complaints); err != nil || out.String() != "done\n" {
		t.Errorf("%q, %v", &out, err)
	}
}
