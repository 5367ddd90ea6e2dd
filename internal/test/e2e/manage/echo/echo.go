package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/test/e2e/manage/talk"
)

// echo writes what it was given from Start, Reload and Stop, no two of which run at the
// same time.
type echo struct {
	setup talk.Setup
	file  string
	given talk.Given
}

func (e *echo) Start(ctx context.Context) error {
	daemon.Logger(ctx).Info("echo starts", zap.Strings("args", os.Args[1:]))
	switch e.setup.FailStart {
	case "":
	case "error":
		return errors.New("the moon is in the wrong phase")
	case "config":
		return fmt.Errorf("the moon is configured wrongly: %w", daemon.ErrConfig)
	case "panic":
		go panic("the moon is gone") // where nobody can catch it
		select {}
	default:
		code, err := strconv.Atoi(e.setup.FailStart)
		if err != nil {
			return err
		}
		daemon.Logger(ctx).Error("the moon has fallen down")
		os.Exit(code)
	}
	dir := os.Getenv("STATE_DIRECTORY")
	if runtime.GOOS == "windows" { // Wine passes no environment on
		dir = dirs.System(runtime.GOOS, e.setup.Name, os.Getenv).State
	}
	if dir == "" {
		return errors.New("there is no STATE_DIRECTORY in the environment")
	}
	e.file = filepath.Join(dir, talk.GivenFile)
	if err := e.take(); err != nil {
		return err
	}
	for _, k := range e.setup.Sockets {
		l, err := daemon.Listen(ctx, k.Name, k.Network, k.Address)
		if err != nil {
			return err
		}
		daemon.Go(ctx, func(ctx context.Context) error {
			context.AfterFunc(ctx, func() { _ = l.Close() })
			return greet(ctx, l, k.Name)
		})
	}
	if e.setup.Finishes {
		daemon.Finish(ctx)
	}
	if e.setup.CrashAfter > 0 {
		daemon.Go(ctx, func(ctx context.Context) error {
			select {
			case <-ctx.Done():
			case <-time.After(e.setup.CrashAfter):
				os.Exit(9)
			}
			return nil
		})
	}
	return e.write()
}

func greet(ctx context.Context, l net.Listener, name string) error {
	for {
		conn, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		if _, err := fmt.Fprintln(conn, name, os.Getpid()); err != nil {
			return err
		}
		if err := conn.Close(); err != nil {
			return err
		}
	}
}

// take looks at what there is, and goes on counting where another process has ended.
func (e *echo) take() error {
	var before talk.Given
	text, err := os.ReadFile(e.file)
	if err == nil {
		err = json.Unmarshal(text, &before)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	e.given = talk.Given{Args: os.Args, Env: map[string]string{}, Dir: dir, PID: os.Getpid(), UID: os.Getuid(), Stops: before.Stops}
	for _, v := range os.Environ() {
		if name, value, _ := strings.Cut(v, "="); name != "" {
			e.given.Env[name] = value
		}
	}
	if u, err := user.Current(); err == nil {
		e.given.User = u.Username
	}
	return nil
}

// write replaces the file at once for whoever reads it.
func (e *echo) write() error {
	text, err := json.MarshalIndent(e.given, "", "\t")
	if err != nil {
		return err
	}
	if err := os.WriteFile(e.file+".new", text, 0o644); err != nil {
		return err
	}
	return os.Rename(e.file+".new", e.file)
}

func (e *echo) Reload(ctx context.Context) error {
	daemon.Logger(ctx).Info("echo reloads")
	if e.setup.Talks {
		for i, level := range []zapcore.Level{zap.DebugLevel, zap.InfoLevel, zap.WarnLevel, zap.ErrorLevel} {
			daemon.Logger(ctx).Log(level, talk.Talk[i])
		}
		daemon.Logger(ctx).Error("talks at length", zap.String("text", talk.Lines), zap.String("long", strings.Repeat("x", talk.Long)))
	}
	e.given.Reloads++
	return e.write()
}

func (e *echo) Stop(ctx context.Context) error {
	daemon.Logger(ctx).Info("echo stops")
	e.given.Stops++
	if e.setup.HangInStop {
		if err := e.write(); err != nil {
			return err
		}
		select {}
	}
	e.given.Quit = true
	return e.write()
}

type pauser struct{ *echo }

func (pauser) Pause(context.Context) error    { return nil }
func (pauser) Continue(context.Context) error { return nil }
