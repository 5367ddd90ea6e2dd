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

// Manager is a double of a service manager: an [SCM] or a [Systemd]. One is good for
// one call of [Drive].
type Manager interface {
	// connect returns what the run sees of the manager. It is called once, in the
	// bubble, before Run. The process has just begun: d.begun.
	connect(d *drive) ([]host.Host, error)

	// folder is below what the program has its folders, "" if that is no matter.
	folder() string

	// stop asks the program to stop, as an operator would, unless something has
	// asked it already. It is called at most once, in the bubble, when the body of
	// the test has returned and the process has not ended. It may wait until the
	// program can be asked.
	stop()

	// ended is called once, in the bubble, when the process has ended: Run has
	// returned err, or if exit is not negative, a run that gave up has exited the
	// process with it.
	ended(err error, exit int)
}

// Drive runs p under m, in a bubble of synthetic time (testing/synctest): a minute
// takes no time at all, and passes only when nothing is left to do. It returns what
// daemon.Run has returned.
//
// When the process has connected to its manager, and all that follows at once has
// happened, body is called on a goroutine of the bubble. There it lets time pass,
// asks for this and that, and looks at what comes of it; FailNow of t may be called
// there. When it returns, p is asked to stop if nothing has asked it yet, and its end
// is awaited. If p breaks a rule of the manager's, or makes this
// package break one, it is an error of t.
//
// If c.Name is empty it is "test", and if c.Logger is nil it is one that logs to t.
// A run that gives up at its stop deadline ends as if the process had exited: Run
// returns, and nothing of the test's process ends.
//
// What holds for testing/synctest holds here: Drive is not called in a bubble, and p
// does not wait for anything outside of it, as a network or a child is; net.Pipe
// stands in for a connection. All goroutines of p have to come to their end. Those
// that a run has given up have a day for that. One that is still blocked then, or
// when a run has ended in any other way, is an error of t, which shows its stack: p
// lost sight of it, and daemon.Go would not have.
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
		runtime.Goexit() // FailNow has told t why
	}
	return d.err
}

// Sleep lets d pass, and waits until everything that follows at once has happened. It
// is for the body of [Drive], where it takes no time. Sleep(0) only waits.
func Sleep(d time.Duration) {
	if d > 0 {
		<-time.After(d)
	}
	synctest.Wait()
}

// leftBehind is how long what a run has given up may still run.
const leftBehind = 24 * time.Hour

// drive is one call of Drive.
type drive struct {
	t       *testing.T
	manager Manager
	config  daemon.Config
	begun   time.Time // of the process
	cancel  context.CancelCauseFunc
	done    chan struct{} // closed when the process has ended

	err      error // what Run has returned
	exit     int   // what the process was exited with, -1 if it was not
	bodyLeft bool  // the body has ended its goroutine
}

var errKilled = errors.New("the manager has killed the process")

// run is what happens in the bubble.
func (d *drive) run(ctx context.Context, p daemon.Program, body func()) {
	d.begun, d.done = time.Now(), make(chan struct{})
	ctx, d.cancel = context.WithCancelCause(ctx)
	defer d.cancel(nil)
	hosts, err := d.manager.connect(d)
	if err != nil {
		d.err = err
		d.errorf("the process does not reach its manager: %v", err)
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

// folder is below what the program has its folders.
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

// since is how long the process runs.
func (d *drive) since() time.Duration { return time.Since(d.begun) }

// kill ends a run without asking, so that the bubble can end: the manager has killed
// the process.
func (d *drive) kill() { d.cancel(errKilled) }

// errorf reports that a rule was broken.
func (d *drive) errorf(format string, args ...any) {
	d.t.Helper()
	d.t.Errorf(format, args...)
}

// bubble calls f in one. The runtime panics when goroutines are blocked for ever in
// it, which would end all tests.
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

// bubbleName is what stacks call the bubble of the calling goroutine: "synctest
// bubble 7]".
func bubbleName() string {
	var buf [128]byte
	header, _, _ := strings.Cut(string(buf[:runtime.Stack(buf[:], false)]), "\n")
	if i := strings.Index(header, "synctest bubble"); i >= 0 {
		return strings.TrimSuffix(header[i:], ":")
	}
	return ""
}

// stacks is the stacks of all goroutines in a bubble.
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
