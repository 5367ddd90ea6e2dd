package daemon

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/host/console"
	"github.com/go-glidepath/glidepath/internal/host/orphans"
	"github.com/go-glidepath/glidepath/internal/host/scm"
	"github.com/go-glidepath/glidepath/internal/host/systemd"
	"github.com/go-glidepath/glidepath/internal/lifecycle"
)

// Host identifies where a process runs: what starts it, and what asks it to stop.
type Host string

// The hosts.
const (
	HostConsole Host = "console" // a terminal, a shell, a supervisor, a container: signals or console events
	HostSystemd Host = "systemd" // signals, and a manager that is notified; also for a unit that starts a wrapper script
	HostSCM     Host = "scm"     // the Windows service control manager
)

// thisProcess detects where the process runs. Under the Windows service control manager,
// there is no other host: Go turns the event that a user logs off into a SIGTERM, which a
// service must ignore.
func thisProcess(c Config, exits bool) (host.Env, error) {
	env := host.Env{Exit: os.Exit, Own: true}
	if c.Host != HostConsole && c.Host != HostSystemd { // also for an invalid value, so that the manager is told
		h, err := scm.Detect(c.Host == HostSCM)
		switch {
		case err != nil && c.Host == HostSCM:
			return env, fmt.Errorf("%w: Config.Host is %q: %w", ErrConfig, c.Host, err)
		case err != nil:
			return env, err
		case h != nil:
			env.Hosts, env.SCM = append(env.Hosts, h), true
			if exe, err := os.Executable(); err == nil && !c.Windows.KeepDirectory {
				env.Dir = filepath.Dir(exe)
			}
			if c.Service.WorkingDirectory != "" { // Windows has no such setting
				env.Dir = c.Service.WorkingDirectory
			}
			return env, nil
		}
	}
	env.Sockets, env.Untaken = systemd.TakeSockets()
	environ := systemd.Take(c.Host == HostSystemd)
	if h := systemd.New(environ, exits); h != nil && c.Host != HostConsole {
		env.Hosts = append(env.Hosts, h)
	}
	env.Managed = c.Host == HostSystemd || c.Host == "" && environ.Managed()
	if h := orphans.New(c.ReapOrphans); h != nil {
		env.Hosts = append(env.Hosts, h)
	}
	// Open this one last: subscribing to signals takes time, in which the others connect.
	env.Hosts = append(env.Hosts, console.New(env.Managed, exits))
	return env, nil
}

// refuse tells the managers why the program is not started.
func refuse(env host.Env, err error) {
	defer env.Close()
	ctx, cancel := context.WithTimeout(context.Background(), closeBound)
	defer cancel()
	for _, h := range env.Hosts {
		if _, ok := h.(host.Signals); ok {
			continue // nothing reads the state there
		}
		h.Open(host.Run{Post: func(host.Request) {}, Notify: func(host.Event) bool { return false }, Warn: func(string, ...zap.Field) {}, KeepChildren: true})
		h.Tell(host.Status{State: lifecycle.Stopped, Reason: err.Error(), Err: err, Code: ExitCode(err)})
		h.Close(ctx)
	}
}
