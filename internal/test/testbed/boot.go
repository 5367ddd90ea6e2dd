//go:build linux

package testbed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// grace limits how long Close waits for units that do not stop. Nothing in the container is
// worth waiting longer: its changes are only in memory.
const grace = 10 * time.Second

// Machine is a booted container. Its methods may be called from any goroutine.
type Machine struct {
	system  system
	nspawn  *exec.Cmd
	ended   chan struct{}
	console *tail
	cgroup  string
	init    int
	life    context.Context // ends when the machine is down or Close begins
	end     context.CancelCauseFunc

	windows       chan struct{} // a lock; waiting for it can be cancelled
	windowsStarts bool          // the unit of Windows has been started
	windowsRuns   bool
}

// Boot boots systemd in a container. If the root file system is not cached, Boot makes it
// first, which takes about a minute and needs the network. It returns when systemd has
// finished starting and the user manager of tester, uid 1000, runs.
//
// The directories in binds are visible in the container, read-only, at the same absolute path.
// Their own mode decides whether tester can read them. The container uses the network of the
// host.
//
// ctx limits only Boot itself. The machine runs until Close, or until the test process dies
// for whatever reason.
func Boot(ctx context.Context, binds ...string) (*Machine, error) {
	return boot(ctx, withSystemd(), binds)
}

func boot(ctx context.Context, s system, binds []string) (*Machine, error) {
	if err := checkUsable(); err != nil {
		return nil, err
	}
	root, err := cachedRoot(ctx, s)
	if err != nil {
		return nil, err
	}
	cgroup, err := newCgroup()
	if err != nil {
		return nil, err
	}
	m, err := launch(s, root, cgroup, binds)
	if err != nil {
		return nil, errors.Join(err, removeLeftovers(cgroup))
	}
	if err := m.awaitBoot(ctx); err != nil {
		err = fmt.Errorf("boot the container: %w\n%s", err, m.console)
		return nil, errors.Join(err, m.kill())
	}
	return m, nil
}

// Close kills the commands that still run, powers off a machine with systemd, and kills
// whatever has not stopped after ten seconds. It returns when no process of the machine is
// left. A second Close does nothing.
func (m *Machine) Close() error {
	// systemd stops all processes before it kills them, and nsenter stops with its child. It
	// would then never collect its child, which the kernel waits for.
	m.end(errDown)
	if m.system.halts {
		_ = m.nspawn.Process.Signal(syscall.SIGTERM)
		patience := time.NewTimer(grace)
		defer patience.Stop()
		select {
		case <-m.ended:
		case <-patience.C:
		}
	}
	return m.kill()
}

func (m *Machine) kill() error {
	_ = m.nspawn.Process.Kill()
	<-m.ended
	return removeLeftovers(m.cgroup)
}

func launch(s system, root, cgroup string, binds []string) (*Machine, error) {
	group, err := os.Open(cgroup)
	if err != nil {
		return nil, fmt.Errorf("open the container's control group: %w", err)
	}
	defer group.Close()

	args := []string{
		"-q", "-D", root, "--volatile=overlay",
		"--machine=" + filepath.Base(cgroup),
		"--register=no", "--keep-unit", "--link-journal=no",
	}
	escape := strings.NewReplacer(`\`, `\\`, `:`, `\:`)
	for _, dir := range binds {
		args = append(args, "--bind-ro="+escape.Replace(dir))
	}
	// The context of Boot must not end the machine.
	cmd := containedCommand(context.Background(), "systemd-nspawn", append(args, s.boot...)...)
	cmd.Env = append(os.Environ(), "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1", "TERM=dumb")
	cmd.SysProcAttr.UseCgroupFD = true
	cmd.SysProcAttr.CgroupFD = int(group.Fd())

	m := &Machine{
		system: s, nspawn: cmd, ended: make(chan struct{}), console: new(tail), cgroup: cgroup,
		windows: make(chan struct{}, 1),
	}
	m.life, m.end = context.WithCancelCause(context.Background())
	cmd.Stdout, cmd.Stderr = m.console, m.console

	started := make(chan error)
	go func() {
		defer close(m.ended)
		defer m.end(errDown)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		if err := cmd.Wait(); err != nil {
			fmt.Fprintf(m.console, "\nsystemd-nspawn: %v", err)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start systemd-nspawn: %w", err)
	}
	return m, nil
}

func (m *Machine) awaitBoot(ctx context.Context) error {
	err := poll(ctx, func() (bool, error) {
		if err := m.checkAlive(); err != nil {
			return false, err
		}
		m.init = findInit(m.nspawn.Process.Pid, m.system.comm)
		return m.init != 0, nil
	})
	if err != nil {
		return fmt.Errorf("wait for the container's first process: %w", err)
	}
	return m.system.booted(m, ctx)
}

func (m *Machine) awaitSystemd(ctx context.Context) error {
	state := "unknown"
	err := poll(ctx, func() (bool, error) {
		out, err := m.Run(ctx, "systemctl", "is-system-running")
		if err != nil {
			return false, err
		}
		state = strings.TrimSpace(out.Stdout)
		return state == "running" || state == "degraded", nil
	})
	if err != nil {
		return fmt.Errorf("wait until systemd is running (last state %s): %w", state, err)
	}

	user, err := m.Run(ctx, "systemctl", "start", "user@1000.service")
	if err != nil {
		return fmt.Errorf("start the user manager: %w", err)
	}
	if user.Code != 0 {
		return fmt.Errorf("start the user manager: %s", user.Stderr)
	}
	return nil
}

// findInit returns the only child of systemd-nspawn, or 0 until that child is the init. Before
// that, the child may still be in the host's file system, where systemctl would ask the host's
// own manager.
func findInit(nspawn int, init string) int {
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", nspawn, nspawn))
	pid, err := strconv.Atoi(strings.TrimSpace(string(children)))
	if err != nil {
		return 0
	}
	comm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if strings.TrimSpace(string(comm)) != init {
		return 0
	}
	return pid
}

var errDown = errors.New("the machine is down: boot another one")

// checkAlive returns an error if the machine is down. Call it before each use of the
// container's PID, which may belong to another process after the container has ended.
func (m *Machine) checkAlive() error { return context.Cause(m.life) }

// withLife returns a context that ends with ctx, when the machine is down, and when Close
// begins.
func (m *Machine) withLife(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancelCause(ctx)
	context.AfterFunc(m.life, func() { cancel(errDown) })
	return ctx
}
