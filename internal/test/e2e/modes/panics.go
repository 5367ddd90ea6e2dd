package main

import (
	"context"
	"fmt"
	"os"
	"runtime"

	"github.com/go-glidepath/glidepath/daemon"
)

func panics() map[string]daemon.Program {
	var nowhere *program
	return map[string]daemon.Program{
		"panicnil":    program{start: func(context.Context) error { panic(nil) }},
		"panicerr":    program{start: panicsWith(fmt.Errorf("x: %w", daemon.ErrConfig))},
		"stoppanic":   program{stop: panicsWith("x")},
		"closepanic":  closer{close: panicsWith("x")},
		"gopanic":     worker(panicsWith("x")),
		"checkpanic":  checker{check: panicsWith("x")},
		"reloadpanic": reloader{reload: panicsWith("x")},
		"funcpanic":   daemon.Func(func(context.Context, func()) error { panic("x") }),
		"embedded":    struct{ daemon.Program }{},
		"nilptr":      nowhere,
		"stderrpanic": program{start: func(context.Context) error { go panic("own goroutine"); return nil }},
		"startexit":   program{start: func(context.Context) error { os.Exit(3); return nil }},
	}
}

func panicsWith(value any) call { return func(context.Context) error { panic(value) } }

func goexits() map[string]daemon.Program {
	return map[string]daemon.Program{
		"startgoexit":  program{start: goexit},
		"stopgoexit":   program{stop: goexit},
		"closegoexit":  closer{close: goexit},
		"gogoexit":     worker(goexit),
		"checkgoexit":  checker{check: goexit},
		"reloadgoexit": reloader{reload: goexit},
		"funcgoexit": daemon.Func(func(context.Context, func()) error {
			runtime.Goexit()
			return nil
		}),
		"funcgoexit2": daemon.Func(func(_ context.Context, ready func()) error {
			ready()
			runtime.Goexit()
			return nil
		}),
	}
}

func goexit(context.Context) error {
	runtime.Goexit()
	return nil
}
