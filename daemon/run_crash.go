package daemon

import (
	"os"
	"path/filepath"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/crash"
)

// crashes names the folder for crash texts, below the folder for the state.
const crashes = "crash"

// crashDir returns the folder for crash texts, or "" if this process is not a service: then
// a person or a supervisor sees standard error.
func (r *run) crashDir() (string, error) {
	if !r.env.Own || !r.env.SCM && os.Getenv("STATE_DIRECTORY") == "" {
		return "", nil
	}
	// Make only this folder: the program may never use the others, and install would find
	// them.
	state, err := r.stateDir()
	if state == "" {
		return "", err
	}
	return filepath.Join(state, crashes), nil
}

// catchCrashes logs how the previous run crashed, if it did, and makes the runtime keep the
// text if this one does. Errors are logged; they do not keep the program from running.
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
