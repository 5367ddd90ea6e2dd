package crash

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The ways in which a child process ends. The child is this executable again.
const (
	wayVariable = "GLIDEPATH_CRASH"
	dirVariable = "GLIDEPATH_CRASH_DIR"
)

func TestMain(m *testing.M) {
	if way := os.Getenv(wayVariable); way != "" {
		o, err := Open(os.Getenv(dirVariable), Run{Program: "web", Version: "1.2.3", Started: time.Now()})
		if err != nil {
			fmt.Println(err)
			os.Exit(3)
		}
		ways[way](o)
		os.Exit(4)
	}
	os.Exit(m.Run())
}

var ways = map[string]func(*Output){
	"panic":       func(*Output) { elsewhere(func() { panic("boom") }) },
	"long panic":  func(*Output) { elsewhere(func() { panic(strings.Repeat("long ", 100_000)) }) },
	"nil pointer": func(*Output) { elsewhere(func() { var p *os.ProcAttr; p.Dir = "x" }) },
	"maps":        func(*Output) { concurrentMaps() },
	"stack": func(*Output) {
		debug.SetMaxStack(1 << 20)
		elsewhere(func() { fmt.Println(deep(0)) })
	},
	"unlock": func(*Output) { elsewhere(func() { var mu sync.Mutex; mu.Unlock() }) },
	"memory": func(*Output) {
		elsewhere(func() {
			var all [][]byte
			for {
				all = append(all, make([]byte, math.MaxInt>>17))
				fmt.Println(len(all))
			}
		})
	},
	"many goroutines": func(*Output) {
		debug.SetTraceback("all")
		for range 10_000 {
			go func() { select {} }()
		}
		elsewhere(func() { panic("boom") })
	},
	"exit":  func(*Output) { os.Exit(0) },
	"clean": func(o *Output) { fmt.Println(o.Close()); os.Exit(0) },
	"wait":  func(*Output) { fmt.Println("ready"); _, _ = io.Copy(io.Discard, os.Stdin) },
	"quit":  func(*Output) { kill(syscall.SIGQUIT) },
	"abort": func(*Output) { kill(syscall.SIGABRT) },
}

// elsewhere runs f on a goroutine without a recover.
func elsewhere(f func()) {
	go f()
	time.Sleep(time.Minute) // the process ends earlier
}

func concurrentMaps() {
	m := map[int]int{}
	for range 8 {
		go func() {
			for i := 0; ; i++ {
				m[i%8] = i
			}
		}()
	}
	time.Sleep(time.Minute)
}

func deep(n int) int {
	if n < 0 {
		return 0
	}
	return deep(n+1) + 1
}

// child runs a child process until it ends.
func child(t *testing.T, dir, way string) {
	t.Helper()
	cmd := command(t, dir, way)
	out, err := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code == 3 || code == 4 {
		t.Fatalf("%s: %v\n%s", way, err, out)
	}
}

// waiting starts a child process that waits. It returns a function that kills it.
func waiting(t *testing.T, dir string) (kill func()) {
	t.Helper()
	cmd := command(t, dir, "wait")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = in.Close()
	})
	t.Cleanup(kill)
	if line, err := bufio.NewReader(out).ReadString('\n'); strings.TrimSpace(line) != "ready" {
		t.Fatalf("got %q, %v", line, err)
	}
	return kill
}

func command(t *testing.T, dir, way string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), wayVariable+"="+way, dirVariable+"="+dir)
	return cmd
}
