// Eventlog logs some records to the Event Log, and prints how many of them are lost:
//
//	eventlog SOURCE
//
// Or it is a service, which can crash as soon as it is ready, or fail when it is stopped:
//
//	eventlog service NAME [crash|fail]
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/internal/log/eventlog"
	"github.com/go-glidepath/glidepath/internal/log/logevent"
)

func main() {
	if os.Args[1] == "service" {
		// Nothing is looked for on the command line.
		daemon.Main(daemon.Func(serve), daemon.Config{Name: os.Args[2], Version: "v1.2.3", Args: []string{}})
		return
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(source string) error {
	core, err := eventlog.New(eventlog.Options{Source: source}, zap.DebugLevel)
	if err != nil {
		return err
	}
	log := zap.New(core)
	log.Debug("a debug message")
	log.Info("an info message", zap.String("path", `C:\a b\%20`), zap.Int("n", 42), zap.String("smile", "\U0001F600"))
	log.Warn("a warning of\nseveral lines", zap.String("text", "one\n\ttwo\r\nthree"))
	log.Error("an error: %1 %s 100%", zap.Error(errors.New("no\x00\x1b\xff route")))
	log.DPanic("a panic of developers")
	log.Info("ready", logevent.Ready.Field())
	log.Info("long", zap.String("k", strings.Repeat("\U0001F600", 20_000)))
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err = errors.Join(log.Sync(), core.Close(ctx))
	log.Info("after Close")
	fmt.Printf("%d lost\n", core.Lost())
	return err
}

func serve(ctx context.Context, ready func()) error {
	ready()
	daemon.Logger(ctx).Warn("about to serve", zap.String("path", "/a%20b"))
	how := strings.Join(os.Args[3:], " ")
	if how == "crash" {
		go func() { panic("nobody sees this") }() // which is no goroutine of the daemon's
	}
	<-ctx.Done()
	if how == "fail" {
		return errors.New("a cache could not be written")
	}
	return nil
}
