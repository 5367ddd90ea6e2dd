//go:build unix

package initfake

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/diff"
)

// victim names, in the environment of a process that is killed, the root of its machine
// and what it does there.
const victim = "GLIDEPATH_TEST_VICTIM"

// Killed kills processes that install and remove a service, at random moments, and asserts
// that the next command finds a state that it can go on from, and leaves nothing else. It
// is called in a test that does nothing else: the processes run that test.
func Killed(t *testing.T, manager func(*Machine) manage.Manager) {
	if what, root, ok := strings.Cut(os.Getenv(victim), " "); ok {
		m := at(t, root)
		die(t, m, manager(m), what)
	}
	m := New(t)
	next := manager(m)
	clean := m.Snapshot()
	if err := do(t.Context(), next, "install"); err != nil {
		t.Fatal(err)
	}
	installed := m.Snapshot()
	seed := rand.Uint64()
	t.Logf("the seed is %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	verbs := []string{"install", "uninstall", "purge"}
	cut := 0
	for range 50 {
		begin, then := verbs[random.IntN(len(verbs))], verbs[random.IntN(len(verbs))]
		if kill(t, m.Root, begin, time.Duration(random.Int64N(int64(8*time.Millisecond)))) {
			cut++
		}
		if _, err := next.Status(t.Context(), Web()); err != nil {
			t.Errorf("status after %s: %v", begin, err)
		}
		if err := do(t.Context(), next, then); err != nil && (then == "install" || !errors.Is(err, service.ErrNotInstalled)) {
			t.Fatalf("%s after %s: %v", then, begin, err)
		}
		want := map[string]string{"install": installed, "purge": clean}[then]
		if got := m.Snapshot(); want != "" && got != want || strings.Contains(got, "/.web.glidepath") {
			t.Fatalf("%s after %s that was killed: this is wrong:\n%s", then, begin, diff.Unified(want, got))
		}
	}
	if cut == 0 {
		t.Error("nothing was killed before it was done")
	}
	t.Logf("%d of 50 were killed before they were done", cut)
}

func do(ctx context.Context, m manage.Manager, what string) error {
	if what != "install" {
		_, err := m.Remove(ctx, Web(), what == "purge")
		return err
	}
	p, err := m.Plan(ctx, Web(), false)
	if err != nil {
		return err
	}
	return m.Apply(ctx, p)
}

// kill has another process begin, and kills it after a while. It reports whether it was
// not done by then. The tools are processes of their own on a real machine: nobody is
// killed while one of them is at work.
func kill(t *testing.T, root, what string, after time.Duration) bool {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), victim+"="+what+" "+root, "GLIDEPATH_E2E=") // it needs no machine
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var tool sync.Mutex
	var timer *time.Timer
	last := ""
	for lines := bufio.NewScanner(out); lines.Scan(); {
		switch line := lines.Text(); line {
		case "begins":
			timer = time.AfterFunc(after, func() {
				tool.Lock()
				defer tool.Unlock()
				_ = cmd.Process.Kill()
			})
		case "tool":
			tool.Lock()
			if _, err := in.Write([]byte("\n")); err != nil { // it is dead
				tool.Unlock()
			}
		case "done":
			tool.Unlock()
		default:
			last = line
		}
	}
	timer.Stop()
	_ = cmd.Wait() // it was killed, or has said what happened
	if last != "" && last != "<nil>" && !strings.Contains(last, service.ErrNotInstalled.Error()) {
		t.Fatalf("%s: %s", what, last)
	}
	return last == ""
}

// die does something, and says when it begins, when a tool does, and how it has ended.
func die(t *testing.T, m *Machine, manager manage.Manager, what string) {
	goOn := bufio.NewReader(os.Stdin)
	for name, tool := range m.Tools {
		m.Tools[name] = func(args []string) (string, error) {
			fmt.Println("tool")
			if _, err := goOn.ReadByte(); err != nil {
				return "", err
			}
			defer fmt.Println("done")
			return tool(args)
		}
	}
	fmt.Println("begins")
	fmt.Println(do(t.Context(), manager, what))
	os.Exit(0)
}
