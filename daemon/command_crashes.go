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

// news is how long a crash is one that somebody should look into.
const news = 7 * 24 * time.Hour

// crashed are the crashes of the service that its folder still has, the newest first. An
// error that is fs.ErrPermission is that they are not for the eyes of who asks.
func (h *Handle) crashed() ([]crash.Report, error) {
	var all []crash.Report
	var errs []error
	for _, dir := range h.crashDirs() {
		found, err := crash.List(dir)
		found = slices.DeleteFunc(found, func(r crash.Report) bool { // what the service has started inherits its folder
			return r.Program != "" && r.Program != h.spec.Name
		})
		all, errs = append(all, found...), append(errs, err)
	}
	return all, errors.Join(errs...)
}

// crashDirs are the folders that the runs of the service may have for crashes.
func (h *Handle) crashDirs() (at []string) {
	d := manage.Folders(h.manager, h.spec)
	if d.State != "" {
		at = append(at, filepath.Join(d.State, crashes))
	}
	if h.spec.User && d.Configuration != "" {
		at = append(at, filepath.Join(d.Configuration, crashes)) // is that for the state to systemd before 254
	}
	return at
}

// diagnoseCrashes tells of the last crash: as a warning if it is news, and of the
// executable that is there now. It reports whether there is one.
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
	last, level, detail := all[0], manage.Warning, inWords(all)
	if now.Sub(last.Ended) > news {
		level = manage.Note
	}
	// The times of what is filed are in seconds.
	if info, err := os.Stat(executable); err == nil && info.ModTime().Truncate(time.Second).After(last.Ended) {
		level, detail = manage.Note, detail+"; the executable is newer"
	}
	add(level, "crash", detail, "the full text is in "+last.File)
	return true
}

// inWords tells of crashes, the newest first.
func inWords(all []crash.Report) string {
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

// tellCrashes says, beside the log, that there is a text of crashes. To whom they are not
// shown there is nothing to say.
func (c *commandLine) tellCrashes(h *Handle) {
	if all, _ := h.crashed(); len(all) > 0 {
		_, _ = fmt.Fprintf(c.err, "%s: %s; the full text is in %s\n", h.Name(), inWords(all), all[0].File)
	}
}
