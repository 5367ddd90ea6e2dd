// Package syslogfile reads the log of a service on a host with a syslog: its records, from a
// file of the host or from the memory of syslogd (logread), and what else the program has
// printed, from a file of its own.
//
// It knows the files that the usual syslogds write by default, and reads the one with the
// newest line of the service. It also reads the last rotated file, if that is not
// compressed. Lines of the program's own file need not have a time, so the two are not
// merged: the one that was written last comes last.
package syslogfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/internal/log/syslog"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/records"
)

// places are the files that syslogds write. Those with all messages of the facility daemon
// come before those with some of them.
var places = []string{
	"/var/log/daemon.log", // FreeBSD, Debian before 12
	"/var/log/daemon",     // NetBSD, OpenBSD
	"/var/log/syslog",     // Debian
	"/var/log/everything.log",
	"/var/log/messages", // busybox, Red Hat, SUSE, Gentoo
}

// Log says where a service logs.
type Log struct {
	manage.Machine
	Name string // of the service, which is the tag of its records
	File string // with its output
}

// Write writes the log to w, as q asks.
func (l Log) Write(ctx context.Context, q manage.LogQuery, w io.Writer) error {
	view := records.NewView(q, w)
	r := reader{
		Log: l, tag: syslog.Tag(l.Name), now: time.Now(), query: q, view: view,
		logged: Messages{View: view}, printed: records.Plain{View: view},
	}
	defer r.close()
	if err := r.history(ctx); err != nil || !q.Follow {
		return err
	}
	for tick := 1; later(ctx); tick++ {
		if err := r.copyNew(ctx, tick%4 == 0); err != nil {
			return err
		}
	}
	return nil // following ends with ctx
}

// reader reads a log once.
type reader struct {
	Log
	tag     string
	now     time.Time
	query   manage.LogQuery
	view    *records.View
	logged  Messages      // in syslog
	printed records.Plain // to the program's output

	own        source // the file of the service
	syslog     []source
	logread    []string // what logread printed last
	hasLogread bool     // logread exists
}

// source is a file that is read line by line.
type source struct {
	place string
	tail  *tail
	lines *records.Lines
}

func (r *reader) open(place string, lines int, to func(line []byte) error) (source, error) {
	s := source{place, newTail(r.Tree, place), &records.Lines{To: to}}
	return s, s.tail.open(lines)
}

func (r *reader) close() {
	for _, s := range append(r.syslog, r.own) {
		if s.tail != nil {
			s.tail.close()
		}
	}
}

// history writes what the log has now.
func (r *reader) history(ctx context.Context) error {
	var errs []error
	var err error
	lines := 0
	if records.All(r.query) {
		lines = r.query.Lines
	}
	if r.own, err = r.open(r.File, lines, r.printed.Line); err != nil && !errors.Is(err, fs.ErrNotExist) {
		errs = append(errs, unreadable(r.File, err))
	}
	has := err == nil

	place, newest, denied := r.newestPlace()
	if place == "" {
		r.logread, newest, r.hasLogread = r.fromLogread(ctx)
	}
	logged := place != "" || len(r.logread) > 0
	switch {
	case !logged && denied != nil:
		errs = append(errs, denied)
	case !logged && !has && len(errs) == 0 && !r.query.Follow:
		return fmt.Errorf("there is no %s yet, and nothing of %s in syslog: the service has not been started, or has logged nothing", r.File, r.tag)
	}

	groups := []func() error{func() error { return r.records(place) }, func() error { return r.writeOutput(has) }}
	if has && r.lastWritten().Before(newest.Truncate(time.Second)) {
		slices.Reverse(groups)
	}
	for _, group := range groups {
		r.view.Another()
		if err := errors.Join(group(), r.logged.End(), r.printed.End()); err != nil {
			return err
		}
	}
	return errors.Join(append([]error{r.view.Flush()}, errs...)...)
}

// records writes the records in the file place or, if that is "", from the memory of syslogd.
func (r *reader) records(place string) error {
	for _, line := range r.logread {
		if err := r.add([]byte(line)); err != nil {
			return err
		}
	}
	if place == "" {
		if !r.query.Follow {
			return nil
		}
		for _, place := range places { // the first record may be written to any of them
			s, err := r.open(place, 0, r.add)
			if err == nil || errors.Is(err, fs.ErrNotExist) {
				r.syslog = append(r.syslog, s)
			}
		}
		return nil
	}
	for _, before := range []string{place + ".1", place + ".0"} {
		if s, err := r.open(before, 0, r.add); err == nil {
			err = errors.Join(s.tail.copy(s.lines), s.lines.End())
			s.tail.close()
			if err != nil {
				return err
			}
			break
		}
	}
	s, err := r.open(place, 0, r.add)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	r.syslog = []source{s}
	return r.copyRest(s)
}

// writeOutput writes what the service has printed. Its lines have no time, but none is newer
// than the file.
func (r *reader) writeOutput(has bool) error {
	switch {
	case !has:
		return nil
	case r.lastWritten().Before(r.query.Since):
		return r.own.tail.end()
	}
	return r.copyRest(r.own)
}

// copyRest writes the rest of a file. If the log is followed, an incomplete last line is kept
// until its end is written.
func (r *reader) copyRest(s source) error {
	err := s.tail.copy(s.lines)
	if err == nil && !r.query.Follow {
		err = s.lines.End()
	}
	return err
}

// lastWritten returns when the service last wrote to its own file.
func (r *reader) lastWritten() time.Time {
	return r.own.tail.written()
}

// add adds a line of syslog if it belongs to the service.
func (r *reader) add(line []byte) error {
	if m, mine := Mine(line, r.tag, r.now); mine {
		return r.logged.Add(m)
	}
	return nil
}

// newestPlace returns the file with the newest record of the service, or "". It also returns
// why a file could not be read.
func (r *reader) newestPlace() (place string, newest time.Time, denied error) {
	for _, p := range places {
		var last time.Time
		var found bool
		look := func(line []byte) error {
			if m, mine := Mine(line, r.tag, r.now); mine {
				last, found = m.At, true
			}
			return nil
		}
		for _, file := range []string{p + ".1", p + ".0", p} {
			s, err := r.open(file, 0, look)
			switch {
			case err == nil:
				err = errors.Join(s.tail.copy(s.lines), s.lines.End())
				s.tail.close()
			case errors.Is(err, fs.ErrNotExist):
				err = nil
			}
			if errors.Is(err, fs.ErrPermission) && denied == nil {
				denied = unreadable(file, err)
			}
		}
		if found && (place == "" || last.After(newest)) {
			place, newest = p, last
		}
	}
	return place, newest, denied
}

// fromLogread returns the records that syslogd has in memory, and whether it has any memory.
func (r *reader) fromLogread(ctx context.Context) (lines []string, newest time.Time, ok bool) {
	text, err := r.Runner()(ctx, "logread")
	if err != nil {
		return nil, newest, false
	}
	for line := range strings.Lines(text) {
		if m, mine := Mine([]byte(line), r.tag, r.now); mine {
			lines, newest = append(lines, line), m.At
		}
	}
	return lines, newest, true
}

// copyNew writes what was logged since the last call.
func (r *reader) copyNew(ctx context.Context, memory bool) error {
	for i, s := range r.syslog {
		before := r.view.Seen
		if err := errors.Join(s.tail.copy(s.lines), r.logged.End()); err != nil {
			return unreadable(s.place, err)
		}
		if len(r.syslog) > 1 && r.view.Seen > before {
			r.keepSource(i) // the others may have the same records
			break
		}
	}
	if r.hasLogread && memory {
		lines, _, _ := r.fromLogread(ctx)
		for _, line := range newLines(r.logread, lines) {
			if err := r.add([]byte(line)); err != nil {
				return err
			}
		}
		if err := r.logged.End(); err != nil {
			return err
		}
		r.logread = lines
	}
	if err := errors.Join(r.own.tail.copy(r.own.lines), r.printed.End()); err != nil {
		return unreadable(r.File, err)
	}
	return nil
}

// keepSource keeps one source of syslog and closes the others.
func (r *reader) keepSource(i int) {
	for j, s := range r.syslog {
		if j != i {
			s.tail.close()
		}
	}
	r.syslog = []source{r.syslog[i]}
	r.hasLogread = false
}

// newLines returns the lines of now that follow those of old. The oldest lines may be gone.
func newLines(old, now []string) []string {
	for i := range old {
		if n := len(old) - i; n <= len(now) && slices.Equal(old[i:], now[:n]) {
			return now[n:]
		}
	}
	return now
}
