package records

import (
	"fmt"
	"io"
	"slices"
	"time"

	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/logevent"
	"github.com/go-glidepath/glidepath/internal/log/logtext"
	"github.com/go-glidepath/glidepath/internal/service"
)

// MaxKept is how many bytes of the last records are kept in memory.
const MaxKept = 64 << 20

// View writes the records that a query asks for, the oldest first. It keeps the last ones
// until Flush, if only those are asked for, and writes each at once after that.
type View struct {
	Seen int // how many records it was given

	q    service.LogQuery
	w    io.Writer
	text logtext.Text
	bare logtext.Text // what an expression is looked for in
	json zapcore.Encoder

	at      time.Time // of the record before
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
func NewView(q service.LogQuery, w io.Writer) *View {
	v := &View{q: q, w: w, text: logtext.NewDated(), bare: logtext.NewText()}
	if q.LastRun {
		v.text = v.bare
	}
	if q.JSON {
		v.json = logtext.JSONEncoder(logtext.JSONOptions{MaxLine: -1})
	}
	return v
}

// All reports whether every record is wanted, or every one of the last: it is not looked
// at what is in them.
func All(q service.LogQuery) bool {
	return q.Since.IsZero() && q.Level == nil && q.Match == nil && q.PID == 0 && !q.LastRun
}

// Another says that the records that follow are from another source.
func (v *View) Another() { v.at = time.Time{} }

// Add adds a record. One that does not say when it was logged counts as logged when the
// one before it was.
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

// wants reports whether a record is asked for.
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

// matches reports whether the expression is in the message or the fields of a record.
func (v *View) matches(r *Record) (found bool) {
	e := r.Entry
	e.Caller = zapcore.EntryCaller{} // which is not shown
	v.bare.Encode(e, r.Fields, func(lines []byte) { found = v.q.Match.Match(lines) })
	return found
}

// put writes what a record has become, or keeps it.
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
	for i := v.next; v.bytes > MaxKept; i++ { // the oldest go
		old := &v.kept[i%len(v.kept)]
		v.dropped = true
		v.bytes -= len(old.text)
		old.text = nil
	}
	return nil
}

// Incomplete says that not all of the last records could be kept.
func (v *View) Incomplete() { v.dropped = true }

// Flush writes the records that were kept. Those that are added later are written at once.
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
		return fmt.Errorf("the last %d records have more than %d MiB: older ones of them are not shown; with 0 all are", v.q.Lines, MaxKept>>20)
	}
	return nil
}

// beginsRun reports whether a record is the first of a run.
func beginsRun(r *Record) bool {
	if e := logevent.Of(r.Fields); e != 0 {
		return e == logevent.Starting
	}
	return r.Message == "starting" // text says nothing about events
}

// lastRun returns the records of the run that has logged last. Where records name their
// process, these are the ones of the last process, with those without a process after its
// first. Elsewhere a run begins with the record that every run begins with. A log that has
// neither is returned whole.
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

// Wanted reports whether a query asks for a record, which says when it was logged.
func Wanted(q service.LogQuery, r Record) bool { return NewView(q, nil).wants(&r) }
