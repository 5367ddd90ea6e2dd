// Package syslogfile reads back what a service has logged on a host with a syslog: its
// records, from the file of the host that has them or from the memory of syslogd
// (logread), and what else the program has written to its output, from a file of its own.
//
// It knows the files that the usual syslogds write out of the box, and takes that which
// has the newest line of the service. Of the older ones it reads the last, if that is not
// compressed. What was written last stands last: the lines of the program's own file need
// not say when they were written, so that the two are not mixed.
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
	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/onefile"
	"github.com/go-glidepath/glidepath/internal/service/records"
)

// places are the files of syslogds. Those that have all messages of the facility daemon
// stand before those that have some of them.
var places = []string{
	"/var/log/daemon.log", // FreeBSD, Debian before 12
	"/var/log/daemon",     // NetBSD, OpenBSD
	"/var/log/syslog",     // Debian
	"/var/log/everything.log",
	"/var/log/messages", // busybox, Red Hat, SUSE, Gentoo
}

// Log is where a service logs.
type Log struct {
	service.Machine
	Name string // of the service, which its records have as their tag
	File string // what else it writes
}

// Write writes what there is to w, as q wants it.
func (l Log) Write(ctx context.Context, q service.LogQuery, w io.Writer) error {
	view := records.NewView(q, w)
	r := reader{
		Log: l, tag: syslog.Tag(l.Name), now: time.Now(), query: q, view: view,
		logged: Messages{View: view}, printed: records.Plain{View: view},
	}
	defer r.close()
	if err := r.history(ctx); err != nil || !q.Follow {
		return err
	}
	for tick := 1; onefile.Later(ctx); tick++ {
		if err := r.copyNew(ctx, tick%4 == 0); err != nil {
			return err
		}
	}
	return nil // who follows ends it this way
}

// reader reads once.
type reader struct {
	Log
	tag     string
	now     time.Time
	query   service.LogQuery
	view    *records.View
	logged  Messages      // in syslog
	printed records.Plain // to the program's output

	own        source // the file of the service
	syslog     []source
	logread    []string // what logread had the last time
	hasLogread bool     // there is a logread
}

// source is a file that is read line by line.
type source struct {
	place string
	tail  *onefile.Tail
	lines *records.Lines
}

func (r *reader) open(place string, lines int, to func(line []byte) error) (source, error) {
	s := source{place, onefile.NewTail(r.Tree, place), &records.Lines{To: to}}
	return s, s.tail.Open(lines)
}

func (r *reader) close() {
	for _, s := range append(r.syslog, r.own) {
		if s.tail != nil {
			s.tail.Close()
		}
	}
}

// history writes what there is by now.
func (r *reader) history(ctx context.Context) error {
	var errs []error
	var err error
	lines := 0
	if records.All(r.query) {
		lines = r.query.Lines
	}
	if r.own, err = r.open(r.File, lines, r.printed.Line); err != nil && !errors.Is(err, fs.ErrNotExist) {
		errs = append(errs, onefile.Unreadable(r.File, err))
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

// records writes those that place has, or the memory of syslogd.
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
		for _, place := range places { // any of them may get something
			s, err := r.open(place, 0, r.add)
			if err == nil || errors.Is(err, fs.ErrNotExist) {
				r.syslog = append(r.syslog, s)
			}
		}
		return nil
	}
	for _, before := range []string{place + ".1", place + ".0"} {
		if s, err := r.open(before, 0, r.add); err == nil {
			err = errors.Join(s.tail.Copy(s.lines), s.lines.End())
			s.tail.Close()
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

// writeOutput writes what the service has written to its output. Its lines do not say when:
// none is newer than the file.
func (r *reader) writeOutput(has bool) error {
	switch {
	case !has:
		return nil
	case r.lastWritten().Before(r.query.Since):
		return r.own.tail.End()
	}
	return r.copyRest(r.own)
}

// copyRest writes what is left of a file. The end of a line that comes later belongs to it
// only where somebody waits for it.
func (r *reader) copyRest(s source) error {
	err := s.tail.Copy(s.lines)
	if err == nil && !r.query.Follow {
		err = s.lines.End()
	}
	return err
}

// lastWritten is when the service has last written to its own file.
func (r *reader) lastWritten() time.Time {
	return r.own.tail.Written()
}

// add adds a line of syslog, if it is one of the service.
func (r *reader) add(line []byte) error {
	if m, mine := Mine(line, r.tag, r.now); mine {
		return r.logged.Add(m)
	}
	return nil
}

// newestPlace returns the file that has the newest record of the service, "" if none has any,
// and why one could not be read.
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
				err = errors.Join(s.tail.Copy(s.lines), s.lines.End())
				s.tail.Close()
			case errors.Is(err, fs.ErrNotExist):
				err = nil
			}
			if errors.Is(err, fs.ErrPermission) && denied == nil {
				denied = onefile.Unreadable(file, err)
			}
		}
		if found && (place == "" || last.After(newest)) {
			place, newest = p, last
		}
	}
	return place, newest, denied
}

// fromLogread are the records that syslogd has in memory, and whether it has any memory.
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

// copyNew writes what has come since.
func (r *reader) copyNew(ctx context.Context, memory bool) error {
	for i, s := range r.syslog {
		before := r.view.Seen
		if err := errors.Join(s.tail.Copy(s.lines), r.logged.End()); err != nil {
			return onefile.Unreadable(s.place, err)
		}
		if len(r.syslog) > 1 && r.view.Seen > before {
			r.keepSource(i) // the others may have the same
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
	if err := errors.Join(r.own.tail.Copy(r.own.lines), r.printed.End()); err != nil {
		return onefile.Unreadable(r.File, err)
	}
	return nil
}

// keepSource keeps one source of syslog.
func (r *reader) keepSource(i int) {
	for j, s := range r.syslog {
		if j != i {
			s.tail.Close()
		}
	}
	r.syslog = []source{r.syslog[i]}
	r.hasLogread = false
}

// newLines are the lines that are new, where the oldest are given up for them.
func newLines(old, now []string) []string {
	for i := range old {
		if n := len(old) - i; n <= len(now) && slices.Equal(old[i:], now[:n]) {
			return now[n:]
		}
	}
	return now
}
