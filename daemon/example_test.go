package daemon_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/daemon"
)

// greeter is a small program.
type greeter struct{ greeting string }

func (g *greeter) Start(ctx context.Context) error {
	fmt.Println("serving", g.greeting)
	return nil
}

func (g *greeter) Stop(ctx context.Context) error {
	fmt.Println("letting go")
	return nil
}

// Reload makes it a daemon.Reloader.
func (g *greeter) Reload(ctx context.Context) error {
	g.greeting = "bonjour"
	return nil
}

// Check makes it a daemon.Checker.
func (g *greeter) Check(ctx context.Context) error {
	if g.greeting == "" {
		return errors.New("nothing to say")
	}
	return nil
}

func ExampleProgram() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // something asks it to stop; here, as soon as it has started

	err := daemon.Run(ctx, &greeter{greeting: "hello"}, quiet)
	fmt.Println(err)
	// Output:
	// serving hello
	// letting go
	// <nil>
}

// quiet is a configuration that logs nothing.
var quiet = daemon.Config{Name: "example", Logger: zap.NewNop()}

func ExampleRun() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()

	err := daemon.Run(ctx, daemon.Func(func(ctx context.Context, ready func()) error {
		ready()
		<-ctx.Done()
		fmt.Println("asked to stop")
		return nil
	}), daemon.Config{Name: "example", StopTimeout: 5 * time.Second, Logger: zap.NewNop()})
	fmt.Println("exit code", daemon.ExitCode(err))
	// Output:
	// asked to stop
	// exit code 0
}

// Main is the only line of func main, or the last one after flag.Parse.
func ExampleMain() {
	main := func() {
		daemon.Main(&greeter{greeting: "hello"}, daemon.Config{Name: "example"})
	}
	_ = main // it would not return
	// Output:
}

func ExampleFunc() {
	job := daemon.Func(func(ctx context.Context, ready func()) error {
		ready()
		fmt.Println("work that comes to an end")
		return nil
	})
	fmt.Println(daemon.Run(context.Background(), job, quiet))
	// Output:
	// work that comes to an end
	// <nil>
}

// startFunc is a Program whose Stop has nothing to do.
type startFunc func(ctx context.Context) error

func (f startFunc) Start(ctx context.Context) error { return f(ctx) }
func (f startFunc) Stop(context.Context) error      { return nil }

func ExampleGo() {
	p := startFunc(func(ctx context.Context) error {
		daemon.Go(ctx, func(ctx context.Context) error {
			return errors.New("the disk is full")
		})
		return nil
	})
	err := daemon.Run(context.Background(), p, quiet)
	fmt.Println(err, daemon.ExitCode(err))
	// Output: the disk is full 1
}

func ExampleFail() {
	p := startFunc(func(ctx context.Context) error {
		time.AfterFunc(time.Millisecond, func() { daemon.Fail(ctx, errors.New("lost the lease")) })
		return nil
	})
	fmt.Println(daemon.Run(context.Background(), p, quiet))
	// Output: lost the lease
}

func ExampleLogger() {
	plain := zapcore.NewConsoleEncoder(zapcore.EncoderConfig{MessageKey: "msg"})
	log := zap.New(zapcore.NewCore(plain, os.Stdout, zap.WarnLevel))

	p := startFunc(func(ctx context.Context) error {
		daemon.Logger(ctx).Warn("almost full", zap.Int("percent", 93))
		return nil
	})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = daemon.Run(ctx, p, daemon.Config{Name: "example", Logger: log})
	// Output: almost full	{"percent": 93}
}

func ExampleReason() {
	ctx, cancel := context.WithCancel(context.Background())
	p := startFunc(func(ctx context.Context) error {
		daemon.Go(ctx, func(ctx context.Context) error {
			<-ctx.Done()
			var reason daemon.Reason
			if errors.As(context.Cause(ctx), &reason) && reason.Trigger == daemon.TriggerCancelled {
				fmt.Println("why:", reason)
			}
			return nil
		})
		cancel()
		return nil
	})
	_ = daemon.Run(ctx, p, quiet)
	// Output: why: cancelled (the context of Run has ended): context canceled
}

func ExampleTrigger() {
	for _, t := range []daemon.Trigger{daemon.TriggerTerminate, daemon.TriggerFailure, daemon.TriggerFinished} {
		fmt.Println(t)
	}
	// Output:
	// terminate
	// failure
	// finished
}

func ExampleExitCode() {
	fmt.Println(daemon.ExitCode(nil))
	fmt.Println(daemon.ExitCode(errors.New("the disk is full")))
	fmt.Println(daemon.ExitCode(fmt.Errorf("port 70000 is too high: %w", daemon.ErrConfig)))
	fmt.Println(daemon.ExitCode(daemon.ErrStopTimeout))
	// Output:
	// 0
	// 1
	// 78
	// 124
}

func ExampleConfig() {
	err := daemon.Run(context.Background(), &greeter{}, daemon.Config{Name: "my server"})
	fmt.Println(err)
	fmt.Println(errors.Is(err, daemon.ErrConfig), daemon.ExitCode(err))
	// Output:
	// the configuration is wrong: Config.Name is "my server": some managers do not allow ' '; want letters, digits, '.', '_' and '-'
	// true 78
}

func ExampleReloader() {
	g := &greeter{greeting: "hello"}
	var p daemon.Reloader = g // SIGHUP, systemctl reload, … now call Reload
	fmt.Println(p.Reload(context.Background()), g.greeting)
	// Output: <nil> bonjour
}

func ExampleChecker() {
	var p daemon.Checker = &greeter{} // the watchdog of the manager now depends on it
	fmt.Println(p.Check(context.Background()))
	// Output: nothing to say
}
