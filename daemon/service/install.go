package service

import (
	"cmp"
	"regexp"
	"strings"
	"time"

	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/service/system/diff"
)

// InstallOptions say how to install.
type InstallOptions struct {
	// Start starts the service after the installation. If it runs and something has
	// changed, it is restarted.
	Start bool

	// Force installs even if the result would be [ErrUnsafe] or [ErrForeign].
	Force bool

	// Enable lets the service start as Config.StartType says even if an administrator has
	// disabled it since it was installed. Without Enable such a service stays disabled, and
	// Installation.Notes says so.
	Enable bool
}

// Installation is what an installation does, or would do.
type Installation struct {
	Manager  string
	Updated  bool     // the service was installed before
	Replaces string   // what had installed it, if not this package: "kardianos/service"
	Changes  []Change // in the order in which they are made; none if everything is up to date
	Calls    []string // commands that are run as well
	Warnings []string // settings that the manager does not support, and what was forced
	Notes    []string // choices of an administrator that were kept
}

// Change is one thing that an installation creates, changes or removes, as text: a file, or
// the settings of a Windows service, one per line.
type Change struct {
	Name     string // the path of the file, or what the manager calls it
	Old, New string
	Added    bool // it did not exist
	Removed  bool // it will not exist
}

// Diff returns the change as a unified diff without file names.
func (c Change) Diff() string {
	// A missing newline at the end matters only if nothing else changes.
	return cmp.Or(diff.Unified(withNewline(c.Old), withNewline(c.New)), diff.Unified(c.Old, c.New))
}

// withNewline ends text with a newline, unless it is empty.
func withNewline(text string) string {
	if text == "" || strings.HasSuffix(text, "\n") {
		return text
	}
	return text + "\n"
}

// LogOptions select records of a service's log and their form.
type LogOptions struct {
	Lines  int                  // only the last ones; all if zero
	Follow bool                 // also the records to come, until the context ends
	Since  time.Time            // only records logged at this time or later; all if zero
	Level  zapcore.LevelEnabler // only levels that it enables: zap.WarnLevel enables warnings and worse; all if nil
	Match  *regexp.Regexp       // only records whose message or fields match; all if nil
	JSON   bool                 // one JSON object per line instead of text
}
