package main

import (
	"context"
	"errors"

	"github.com/go-glidepath/glidepath/daemon"
)

// hanging are programs that are given up.
func hanging() map[string]daemon.Program {
	return map[string]daemon.Program{
		"hangstop":   program{stop: forever},
		"failhang":   program{start: fails(errors.New("oops")), stop: forever},
		"checkblock": checker{check: forever},
		"reloadhang": reloader{reload: forever},
		"closehang":  closer{close: forever},
		"finishhang": program{start: finish, stop: forever},
	}
}

// closers are programs with something that workers use until their end.
func closers() map[string]daemon.Program {
	return map[string]daemon.Program{
		"flush":      flushing{&database{}},
		"flushearly": tooEarly{flushing{&database{}}, make(chan struct{})},
		"closefail":  closer{close: says("CLOSED", errors.New("not closed"))},
		"closenot":   closer{program: program{start: says("STARTED", errors.New("not started"))}, close: says("CLOSED", nil)},
	}
}

// finishing are programs that end themselves.
func finishing() map[string]daemon.Program {
	return map[string]daemon.Program{
		"finish":         worker(finish),
		"finishstart":    program{start: finish, stop: says("STOPPED", nil)},
		"finishstopfail": program{start: finish, stop: says("STOPPED", errors.New("not stopped"))},
	}
}

func finish(ctx context.Context) error {
	daemon.Finish(ctx)
	daemon.Finish(ctx) // once more changes nothing
	return nil
}
