package scm

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/windows"
)

// role is the variable with the role of a test process: "child" for a process that runs until its
// standard input ends, or what the parent of such a child does.
const role = "SCM_TEST_ROLE"

func TestMain(m *testing.M) {
	switch what := os.Getenv(role); what {
	case "":
		os.Exit(m.Run())
	case "child":
		fmt.Println("here")
		_, _ = io.Copy(io.Discard, os.Stdin)
		fmt.Println("lives")
	default:
		os.Exit(leave(what))
	}
}

// leave starts a child and returns the exit code of its parent.
func leave(what string) int {
	if what != "free" {
		if err := (&windowsAPI{}).Confine(); err != nil {
			fmt.Println(err)
			return 1
		}
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), role+"=child")
	cmd.Stdin, cmd.Stdout = os.Stdin, os.Stdout
	if what == "breaks away" {
		cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_BREAKAWAY_FROM_JOB}
	}
	if err := cmd.Start(); err != nil {
		fmt.Println(err)
		return 1
	}
	if what == "killed" {
		self, err := os.FindProcess(os.Getpid())
		if err == nil {
			err = self.Kill()
		}
		fmt.Println(err)
	}
	return 3
}

func TestConfine_ChildrenEndWithTheirParent(t *testing.T) {
	for _, test := range []struct {
		what  string
		lives bool
		code  int
	}{
		{"confined", false, 3}, // with its own exit code
		{"killed", false, 1},
		{"breaks away", true, 3},
		{"free", true, 3},
	} {
		t.Run(test.what, func(t *testing.T) {
			t.Parallel()
			in, give, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			take, out, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), role+"="+test.what)
			cmd.Stdin, cmd.Stdout = in, out
			err = cmd.Start()
			_ = in.Close()
			_ = out.Close()
			if err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			if got := cmd.ProcessState.ExitCode(); got != test.code {
				t.Errorf("the exit code of the parent is %d, want %d", got, test.code)
			}
			ends := time.AfterFunc(10*time.Second, func() { _ = give.Close() }) // ends a child that should be gone
			if test.lives {
				_ = give.Close()
			}
			said, err := io.ReadAll(take) // ends when no process has it open
			ends.Stop()
			_ = give.Close()
			if err != nil || strings.Contains(string(said), "lives") != test.lives {
				t.Errorf("the child said %q, %v", said, err)
			}
		})
	}
}
