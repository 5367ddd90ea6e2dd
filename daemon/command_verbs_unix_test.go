//go:build unix

package daemon

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
)

// TestExecute_OutlivesItsTerminal runs a command as a child whose output is closed and whose
// terminal hangs up.
func TestExecute_OutlivesItsTerminal(t *testing.T) {
	const child = "CALL_A_COMMAND"
	if name := os.Getenv(child); name != "" {
		c := commandLine{program: idle{}, config: Config{Name: "web"}, out: os.Stdout, err: os.Stderr}
		os.Exit(c.execute(t.Context(), verb{name: name, do: func(_ *commandLine, ctx context.Context, _ options) int {
			_, _ = fmt.Fprintln(os.Stderr, "nobody reads this")
			if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
				return 9
			}
			<-ctx.Done()
			return 42
		}}, nil))
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	caught := make(chan os.Signal, 1) // under nohup the child would inherit the ignored signal
	signal.Notify(caught, syscall.SIGHUP)
	defer signal.Stop(caught)
	for name, want := range map[string]string{"install": "exit status 42", "logs": "signal: broken pipe"} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Close()
		cmd := exec.Command(self, "-test.run=^"+t.Name()+"$")
		cmd.Env = append(os.Environ(), child+"="+name)
		cmd.Stderr = w
		err = cmd.Run()
		_ = w.Close()
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
}
