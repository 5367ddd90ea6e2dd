package daemontest

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap/zaptest"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/internal/host"
)

// Manager is a double of a service manager: an [SCM] or a [Systemd]. Use a new one for each
// call of [Drive].
type Manager interface {
	// connect returns the hosts through which the run sees the manager. It is called once,
	// in the bubble, before Run. The process begins at d.begun.
	connect(d *drive) ([]host.Host, error)

	// folder returns the parent of the program's folders, "" for a temporary one.
	folder() string

	// stop asks the program to stop, as an operator would, unless it was asked already. It
	// is called at most once, in the bubble, if the process still runs when the body of the
	// test has returned. It may wait until the program can be asked.
	stop()

	// ended is called once, in the bubble, when the process has ended. Run returned err or,
	// if exit is not negative, a run that gave up exited the process with that code.
	ended(err error, exit int)
}

// Drive runs p under m, in a bubble of synthetic time (testing/synctest): a minute takes no
// time at all, and passes only when nothing is left to do. It returns the result of
// daemon.Run.
//
// Once the process is connected to its manager and everything that follows immediately has
// happened, Drive calls body on a goroutine of the bubble. body lets time pass, sends
// requests and checks the results; it may call FailNow of t. When it returns, Drive asks p
// to stop, unless that has happened, and waits for its end. If p breaks a rule of the
// manager, or makes this package break one, it is an error of t.
//
// If c.Name is empty, it is set to "test". If c.Logger is nil, the program logs to t. A run
// that gives up at its stop deadline ends as if the process had exited: Run returns, and
// the test's process goes on.
//
// The rules of testing/synctest apply. Do not call Drive in a bubble. p must not wait for
// anything outside the bubble, such as a network or a child process; net.Pipe can replace a
// connection. All goroutines of p must end. Goroutines that a run gave up on have a day for
// that. One that is still blocked then, or when a run ended in any other way, is an error
// of t, which shows its stack. Using daemon.Go avoids losing track of a goroutine.
func Drive(t *testing.T, m Manager, p daemon.Program, c daemon.Config, body func()) error {
	t.Helper()
	if c.Name == "" {
		c.Name = "test"
	}
	if c.Logger == nil {
		c.Logger = zaptest.NewLogger(t)
	}
	d := &drive{t: t, manager: m, config: c, exit: -1}
	d.bubble(func(ctx context.Context) { d.run(ctx, p, body) })
	if d.bodyLeft {
		runtime.Goexit() // FailNow has told t the reason
	}
	return d.err
}

// Sleep lets d pass, and waits until everything that follows immediately has happened. It
// is meant for the body of [Drive], where it takes no time. Sleep(0) only waits.
func Sleep(d time.Duration) {
	if d > 0 {
		<-time.After(d)
	}
	synctest.Wait()
}

// leftBehind is how long goroutines may run after the run has given up on them.
const leftBehind = 24 * time.Hour

// drive holds the state of one call of Drive.
type drive struct {
	t       *testing.T
	manager Manager
	config  daemon.Config
	begun   time.Time // when the process began
	cancel  context.CancelCauseFunc
	done    chan struct{} // closed when the process has ended

	err      error // the result of Run
	exit     int   // the exit code of a run that gave up, else -1
	bodyLeft bool  // the body has called runtime.Goexit
}

var errKilled = errors.New("the manager has killed the process")

// run runs in the bubble.
func (d *drive) run(ctx context.Context, p daemon.Program, body func()) {
	d.begun, d.done = time.Now(), make(chan struct{})
	ctx, d.cancel = context.WithCancelCause(ctx)
	defer d.cancel(nil)
	hosts, err := d.manager.connect(d)
	if err != nil {
		d.err = err
		d.errorf("the process cannot connect to its manager: %v", err)
		return
	}
	ctx = host.NewContext(ctx, host.Env{Hosts: hosts, Exit: func(code int) { d.exit = code }, Folder: sync.OnceValue(d.folder)})
	go func() {
		defer close(d.done)
		d.err = daemon.Run(ctx, p, d.config)
		d.manager.ended(d.err, d.exit)
	}()
	synctest.Wait()

	returned := make(chan bool, 1)
	go func() {
		ok := false
		defer func() { returned <- ok }()
		body()
		ok = true
	}()
	d.bodyLeft = !<-returned
	if !d.hasEnded() {
		d.manager.stop()
		<-d.done
	}
	if d.exit >= 0 {
		<-time.After(leftBehind)
	}
}

// folder returns the parent of the program's folders.
func (d *drive) folder() string {
	if f := d.manager.folder(); f != "" {
		return f
	}
	return d.t.TempDir()
}

// hasEnded reports whether the process has ended.
func (d *drive) hasEnded() bool {
	select {
	case <-d.done:
		return true
	default:
		return false
	}
}

// since returns how long the process has been running.
func (d *drive) since() time.Duration { return time.Since(d.begun) }

// kill ends a run without asking, as if the manager had killed the process, so that the
// bubble can end.
func (d *drive) kill() { d.cancel(errKilled) }

// errorf reports that a rule was broken.
func (d *drive) errorf(format string, args ...any) {
	d.t.Helper()
	d.t.Errorf(format, args...)
}

// bubble calls f in a bubble. The runtime panics when goroutines in it are blocked for
// ever, which would end all tests.
func (d *drive) bubble(f func(context.Context)) {
	d.t.Helper()
	name := ""
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if err, ok := v.(error); !ok || !strings.HasPrefix(err.Error(), "deadlock:") {
			panic(v)
		}
		d.t.Fatalf("goroutines of the program or of the test are blocked for ever (%v):\n\n%s", v, stacks(name))
	}()
	synctest.Test(d.t, func(t *testing.T) {
		name = bubbleName()
		f(t.Context())
	})
}

// bubbleName returns the name of the calling goroutine's bubble in stacks: "synctest bubble
// 7]".
func bubbleName() string {
	var buf [128]byte
	header, _, _ := strings.Cut(string(buf[:runtime.Stack(buf[:], false)]), "\n")
	if i := strings.Index(header, "synctest bubble"); i >= 0 {
		return strings.TrimSuffix(header[i:], ":")
	}
	return ""
}

// stacks returns the stacks of all goroutines in a bubble.
func stacks(bubble string) string {
	buf := make([]byte, 1<<20)
	var found []string
	for stack := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		if header, _, _ := strings.Cut(stack, "\n"); strings.Contains(header, bubble) {
			found = append(found, stack)
		}
	}
	return strings.Join(found, "\n\n")
}
