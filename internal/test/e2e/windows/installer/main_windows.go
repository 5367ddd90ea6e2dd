// Installer installs and controls services, for tests that run outside of Windows, if
// its argument is rpc. Otherwise it is a service itself.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/rpc"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/winsvc"
	"github.com/go-glidepath/glidepath/internal/test/e2e/windows/requests"
)

func main() {
	if len(os.Args) != 2 || os.Args[1] != "rpc" {
		// Nothing is looked for on the command line.
		daemon.Main(&program{}, daemon.Config{Name: "installer", Args: []string{}})
		return
	}
	server := rpc.NewServer()
	if err := server.Register(&Installer{}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	server.ServeConn(struct {
		io.Reader
		io.WriteCloser
	}{os.Stdin, os.Stdout})
}

// Installer is the service that the tests call.
type Installer struct{}

// Do does what a request says.
func (*Installer) Do(r requests.Request, a *requests.Answer) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var mu sync.Mutex
	m := winsvc.New(manage.Machine{Progress: func(what string) {
		mu.Lock()
		defer mu.Unlock()
		if n := len(a.Progress); n == 0 || a.Progress[n-1] != what {
			a.Progress = append(a.Progress, what)
		}
	}})
	err := do(ctx, m, r, a)
	if err != nil {
		a.Err = err.Error()
		for _, is := range []error{
			service.ErrNotInstalled, service.ErrNotRunning, service.ErrNotSupported, service.ErrPermission,
			service.ErrForeign, service.ErrUnsafe, manage.ErrConfig,
		} {
			if errors.Is(err, is) {
				a.Is = append(a.Is, is.Error())
			}
		}
	}
	return nil
}

func do(ctx context.Context, m manage.Manager, r requests.Request, a *requests.Answer) (err error) {
	switch r.Verb {
	case "plan", "apply":
		p, err := m.Plan(ctx, r.Spec, r.Force)
		if err == nil && r.Verb == "apply" {
			err = m.Apply(ctx, p)
		}
		if p != nil {
			a.Plan = *p
			a.Plan.Private = nil
		}
		return err
	case "remove":
		a.Removed, err = m.Remove(ctx, r.Spec, r.Purge)
	case "start":
		err = m.Start(ctx, r.Spec)
	case "stop":
		err = m.Stop(ctx, r.Spec)
	case "restart":
		err = m.Restart(ctx, r.Spec)
	case "reload":
		err = m.Reload(ctx, r.Spec)
	case "pause":
		err = m.Pause(ctx, r.Spec)
	case "continue":
		err = m.Continue(ctx, r.Spec)
	case "status":
		a.Status, err = m.Status(ctx, r.Spec)
	case "diagnose":
		a.Findings = m.Diagnose(ctx, r.Spec)
	case "logs":
		var b strings.Builder
		err = m.Logs(ctx, r.Spec, manage.LogQuery{LogOptions: service.LogOptions{Lines: r.Lines}}, &b)
		a.Text = b.String()
	default:
		err = errors.New("there is no verb " + r.Verb)
	}
	return err
}

// program is the service. Its first argument is where it notes what happens; with fail
// as the second, it does not start.
type program struct{}

func (*program) Start(ctx context.Context) error {
	if len(os.Args) > 2 && os.Args[2] == "fail" {
		return fmt.Errorf("installer: %w", daemon.ErrConfig)
	}
	text, err := json.Marshal(requests.Run{Args: os.Args[2:], Env: os.Environ()})
	if err != nil {
		return err
	}
	return note("started", text)
}

func (*program) Stop(context.Context) error     { return note("stopped", nil) }
func (*program) Reload(context.Context) error   { return note("reloaded", nil) }
func (*program) Pause(context.Context) error    { return note("paused", nil) }
func (*program) Continue(context.Context) error { return note("continued", nil) }

// note makes a file that appears with its contents.
func note(what string, text []byte) error {
	file := os.Args[1] + "." + what
	if err := os.WriteFile(file+".new", text, 0o644); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}
