package records

import (
	"fmt"
	"io"
	"slices"
	"time"

	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/logevent"
	"github.com/go-glidepath/glidepath/internal/log/logtext"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// MaxKept limits the bytes of the last records that are kept in memory.
const MaxKept = 64 << 20

// View writes the records that a query asks for, the oldest first. If the query asks only for
// the last ones, it keeps those until Flush, and after that writes each record at once.
type View struct {
	Seen int // the number of records that were added

	q    manage.LogQuery
	w    io.Writer
	text logtext.Text
	bare logtext.Text // the form that the expression is matched with
	json zapcore.Encoder

	at      time.Time // of the previous record
	kept    []entry   // the last ones, a ring
	next    int
	bytes   int
	dropped bool // some of the last ones did not fit
	follows bool
}

// entry is a record that is kept.
type entry struct {
	text   []byte
	pid    int
	begins bool // a run
}

// NewView returns a view that writes to w.
func NewView(q manage.LogQuery, w io.Writer) *View {
	v := &View{q: q, w: w, text: logtext.NewDated(), bare: logtext.NewText()}
	if q.LastRun {
		v.text = v.bare
	}
	if q.JSON {
		v.json = logtext.JSONEncoder(logtext.JSONOptions{MaxLine: -1})
	}
	return v
}

// All reports whether the query asks for every record, or for the last ones whatever is in
// them.
func All(q manage.LogQuery) bool {
	return q.Since.IsZero() && q.Level == nil && q.Match == nil && q.PID == 0 && !q.LastRun
}

// Another marks that the following records come from another source.
func (v *View) Another() { v.at = time.Time{} }

// Add adds a record. A record without a time counts as logged with the one before it.
func (v *View) Add(r Record) error {
	v.Seen++
	if !v.wants(&r) {
		return nil
	}
	var text []byte
	if v.json != nil {
		b, err := v.json.EncodeEntry(r.Entry, r.Fields)
		if err != nil {
			return err
		}
		defer b.Free()
		text = b.Bytes()
		return v.put(text, &r)
	}
	var err error
	v.text.Encode(r.Entry, r.Fields, func(lines []byte) { err = v.put(lines, &r) })
	return err
}

// wants reports whether the query asks for a record.
func (v *View) wants(r *Record) bool {
	if !r.Time.IsZero() {
		v.at = r.Time
	}
	restoreEvents(r.Fields)
	switch {
	case !v.q.Since.IsZero() && !v.at.IsZero() && v.at.Before(v.q.Since):
	case v.q.PID != 0 && r.PID != 0 && r.PID != v.q.PID:
	case v.q.Level != nil && !v.q.Level.Enabled(r.Level):
	case v.q.Match != nil && !v.matches(r):
	default:
		return true
	}
	return false
}

// matches reports whether the expression matches the message or the fields of a record.
func (v *View) matches(r *Record) (found bool) {
	e := r.Entry
	e.Caller = zapcore.EntryCaller{} // it is not shown
	v.bare.Encode(e, r.Fields, func(lines []byte) { found = v.q.Match.Match(lines) })
	return found
}

// put writes the text of a record, or keeps it.
func (v *View) put(text []byte, r *Record) error {
	if v.follows || v.q.Lines <= 0 {
		_, err := v.w.Write(text)
		return err
	}
	if len(v.kept) < v.q.Lines {
		v.kept = append(v.kept, entry{})
		v.next = len(v.kept) - 1
	}
	v.bytes += len(text) - len(v.kept[v.next].text)
	v.kept[v.next] = entry{append([]byte(nil), text...), r.PID, beginsRun(r)}
	v.next = (v.next + 1) % v.q.Lines
	for i := v.next; v.bytes > MaxKept; i++ { // drop the oldest
		old := &v.kept[i%len(v.kept)]
		v.dropped = true
		v.bytes -= len(old.text)
		old.text = nil
	}
	return nil
}

// Incomplete marks that not all of the last records could be kept.
func (v *View) Incomplete() { v.dropped = true }

// Flush writes the records that were kept. Later records are written at once.
func (v *View) Flush() error {
	first := v.next % max(len(v.kept), 1)
	kept := slices.Concat(v.kept[first:], v.kept[:first])
	v.kept, v.follows = nil, true
	if v.q.LastRun {
		kept = lastRun(kept)
	}
	for _, e := range kept {
		if _, err := v.w.Write(e.text); err != nil {
			return err
		}
	}
	if v.dropped {
		return fmt.Errorf("the last %d records have more than %d MiB: the oldest of them are not shown; 0 shows all", v.q.Lines, MaxKept>>20)
	}
	return nil
}

// beginsRun reports whether a record is the first of a run.
func beginsRun(r *Record) bool {
	if e := logevent.Of(r.Fields); e != 0 {
		return e == logevent.Starting
	}
	return r.Message == "starting" // text has no events
}

// lastRun returns the records of the last run that has logged. If records name their process,
// these are the records of the last process, with those without a process that follow its
// first. Otherwise a run begins with the record that every run begins with. If a log has
// neither, all is returned.
func lastRun(all []entry) []entry {
	first, process := 0, 0
	for i := len(all) - 1; i >= 0; i-- {
		switch e := all[i]; {
		case e.pid == 0 && process == 0 && e.begins:
			return all[i:]
		case e.pid == 0:
		case process == 0 || e.pid == process:
			first, process = i, e.pid
		default:
			return all[first:]
		}
	}
	return all
}

// Wanted reports whether a query asks for a record that has a time.
func Wanted(q manage.LogQuery, r Record) bool { return NewView(q, nil).wants(&r) }
