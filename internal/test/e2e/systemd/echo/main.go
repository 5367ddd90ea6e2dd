// Echo is a daemon that says what has reached it of what its unit names, for the tests
// of package systemd.
//
// It writes to said.json in its state directory, and answers who connects to its
// socket http, or to the address in the environment variable LISTEN, with its process
// ID.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/daemon"
)

// Said is what it says.
type Said struct {
	Args        []string
	Environment []string
	Directory   string
	Paths       daemon.Paths
	Written     map[string]string // path → what went wrong
	Read        map[string]string // path → its content
	Reloads     int
}

type echo struct {
	said     Said
	listener net.Listener
}

func (e *echo) Start(ctx context.Context) error {
	var err error
	e.said.Args, e.said.Environment = os.Args, os.Environ()
	if e.said.Directory, err = os.Getwd(); err != nil {
		return err
	}
	if e.said.Paths, err = daemon.Directories(ctx); err != nil {
		return err
	}
	e.said.Written, e.said.Read = map[string]string{}, map[string]string{}
	for _, p := range filepath.SplitList(os.Getenv("WRITE")) {
		e.said.Written[p] = fmt.Sprint(os.WriteFile(filepath.Join(p, "written"), []byte("x"), 0o600))
	}
	for _, p := range filepath.SplitList(os.Getenv("READ")) {
		b, err := os.ReadFile(os.ExpandEnv(p))
		e.said.Read[p] = string(b)
		if err != nil {
			e.said.Read[p] = err.Error()
		}
	}
	if words := os.Getenv("FAIL"); words != "" {
		return errors.New(words)
	}
	if err := e.say(); err != nil {
		return err
	}
	if words := os.Getenv("PANIC"); words != "" {
		time.AfterFunc(100*time.Millisecond, func() { panic(words) })
	}
	if address := os.Getenv("LISTEN"); address != "" {
		network, address, _ := strings.Cut(address, " ")
		if e.listener, err = daemon.Listen(ctx, "http", network, address); err != nil {
			return err
		}
		daemon.Go(ctx, e.serve)
	}
	return nil
}

func (e *echo) say() error {
	b, err := json.Marshal(e.said)
	if err != nil {
		return err
	}
	file := filepath.Join(e.said.Paths.State, "said.json")
	if err := os.WriteFile(file+".new", b, 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

func (e *echo) serve(ctx context.Context) error {
	for {
		c, err := e.listener.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		_, _ = fmt.Fprintln(c, os.Getpid())
		_ = c.Close()
	}
}

func (e *echo) Reload(context.Context) error {
	if os.Getenv("FAIL_RELOAD") != "" {
		return errors.New("as asked by FAIL_RELOAD")
	}
	e.said.Reloads++
	return e.say()
}

func (e *echo) Stop(context.Context) error {
	if e.listener != nil {
		return e.listener.Close()
	}
	return nil
}

func main() {
	daemon.Main(&echo{}, daemon.Config{Name: "echo", Args: []string{}})
}
