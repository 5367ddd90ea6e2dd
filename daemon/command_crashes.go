package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/go-glidepath/glidepath/internal/crash"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// news is the age up to which a crash is a warning.
const news = 7 * 24 * time.Hour

// crashed returns the crashes in the folders of the service, the newest first. The error is
// fs.ErrPermission if the caller may not read them.
func (h *Handle) crashed() ([]crash.Report, error) {
	var all []crash.Report
	var errs []error
	for _, dir := range h.crashDirs() {
		found, err := crash.List(dir)
		found = slices.DeleteFunc(found, func(r crash.Report) bool { // a child of the service inherits its folder
			return r.Program != "" && r.Program != h.spec.Name
		})
		all, errs = append(all, found...), append(errs, err)
	}
	return all, errors.Join(errs...)
}

// crashDirs returns the folders in which runs of the service may leave crashes.
func (h *Handle) crashDirs() (at []string) {
	d := manage.Folders(h.manager, h.spec)
	if d.State != "" {
		at = append(at, filepath.Join(d.State, crashes))
	}
	if h.spec.User && d.Configuration != "" {
		at = append(at, filepath.Join(d.Configuration, crashes)) // the state folder of systemd before 254
	}
	return at
}

// diagnoseCrashes adds a finding about the last crash, and reports whether there is one. It is
// a warning if the crash is younger than news and the executable has not changed since.
func (h *Handle) diagnoseCrashes(executable string, now time.Time, add addFinding) bool {
	all, err := h.crashed()
	switch {
	case errors.Is(err, fs.ErrPermission):
		add(manage.Note, "crash", "only an administrator can see crashes and how the last run ended", "run doctor as root or as an administrator")
	case err != nil:
		add(manage.Warning, "crash", err.Error(), "")
	}
	if len(all) == 0 {
		return false
	}
	last, level, detail := all[0], manage.Warning, crashSummary(all)
	if now.Sub(last.Ended) > news {
		level = manage.Note
	}
	// The times of crash reports have a resolution of one second.
	if info, err := os.Stat(executable); err == nil && info.ModTime().Truncate(time.Second).After(last.Ended) {
		level, detail = manage.Note, detail+"; the executable is newer"
	}
	add(level, "crash", detail, "the full text is in "+last.File)
	return true
}

// crashSummary returns a sentence about crashes; all has the newest first.
func crashSummary(all []crash.Report) string {
	last, often := all[0], "once, at"
	switch n := len(all); {
	case n >= crash.Keep:
		often = fmt.Sprintf("at least %d times, the last time at", n)
	case n > 1:
		often = fmt.Sprintf("%d times, the last time at", n)
	}
	version := ""
	if last.Version != "" {
		version = " (version " + last.Version + ")"
	}
	return fmt.Sprintf("it crashed %s %s%s: %s", often, last.Ended.Local().Format(time.DateTime), version, last.Summary())
}

// noteCrashes prints where the text of the last crash is. It prints nothing if the caller may
// not read crashes.
func (c *commandLine) noteCrashes(h *Handle) {
	if all, _ := h.crashed(); len(all) > 0 {
		_, _ = fmt.Fprintf(c.err, "%s: %s; the full text is in %s\n", h.Name(), crashSummary(all), all[0].File)
	}
}
