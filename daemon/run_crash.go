package daemon

import (
	"os"
	"path/filepath"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/crash"
)

// crashes is the folder for the texts of crashes, in that for the state.
const crashes = "crash"

// crashDir is where the text of a crash is kept: nowhere but in a service, for elsewhere
// a person or a supervisor has standard error.
func (r *run) crashDir() (string, error) {
	if !r.env.Own || !r.env.SCM && os.Getenv("STATE_DIRECTORY") == "" {
		return "", nil
	}
	// That folder alone: the program may never ask for the others, which install would find.
	state, err := r.stateDir()
	if state == "" {
		return "", err
	}
	return filepath.Join(state, crashes), nil
}

// catchCrashes logs how the run before this one crashed, if it did, and has the runtime
// keep the text if this one does. What goes wrong with that is no reason not to run.
func (r *run) catchCrashes() {
	dir, err := r.crashDir()
	if err != nil {
		r.warn("the text of a crash will not be kept", zap.Error(err))
	}
	if dir == "" {
		return
	}
	reports, err := crash.Take(dir, r.config.Name)
	if err != nil {
		r.warn("what earlier runs have left cannot be read", zap.Error(err))
	}
	for _, p := range reports {
		level, msg := zapcore.ErrorLevel, "the run before this one crashed: "
		if !p.Crashed() {
			level, msg = zapcore.WarnLevel, "the run before this one ended without a word: "
		}
		r.book.add(level, msg+p.Summary(), "", p.Fields()...)
	}
	output, err := crash.Open(dir, crash.Run{Program: r.config.Name, Version: r.config.version(), Started: r.begun})
	if err != nil {
		r.warn("it will not be known how this run crashes, if it does", zap.Error(err))
	}
	r.crash.Store(output)
}
