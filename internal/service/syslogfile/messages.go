package syslogfile

import (
	"strconv"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/internal/log/logtext"
	"github.com/go-glidepath/glidepath/internal/service/records"
)

// maxMessages limits the bytes of the messages of one record that are kept.
const maxMessages = 1 << 20

// Messages turns the messages of a service into records. An indented message belongs to the
// previous one of the same process.
type Messages struct {
	View  *records.View
	first Message // of the record that is not complete yet
	lines []string
	size  int
}

// Add adds a message.
func (g *Messages) Add(m Message) error {
	if len(g.lines) > 0 && m.PID == g.first.PID && strings.HasPrefix(m.Text, indent) && g.size+len(m.Text) < maxMessages {
		g.lines = append(g.lines, m.Text)
		g.size += len(m.Text)
		return nil
	}
	if err := g.End(); err != nil {
		return err
	}
	g.first, g.lines, g.size = m, append(g.lines, m.Text), len(m.Text)
	return nil
}

// End completes the last record: no more messages of it are expected.
func (g *Messages) End() error {
	if len(g.lines) == 0 {
		return nil
	}
	lines := g.joinSplit()
	var r records.Record
	r.Time, r.PID = g.first.At, g.first.PID
	level, text := logtext.CutLevelPrefix(lines[0])
	if r.Level = level; g.first.Known && text == lines[0] { // the text does not name the level
		r.Level = g.first.Level
	}
	lines[0] = text
	r.AddText(lines)
	g.lines = g.lines[:0]
	return g.View.Add(r)
}

const indent = "    "

// joinSplit returns the lines of the record, with those joined that package syslog has split.
func (g *Messages) joinSplit() []string {
	head := len("<30>") + len(time.Stamp) + 1 + len(g.first.Tag+"["+strconv.Itoa(g.first.PID)+"]: ")
	var lines []string
	for i, line := range g.lines {
		if i > 0 && atSplitLength(head+len(g.lines[i-1])) && !g.beginsBlock(i) {
			lines[len(lines)-1] += strings.TrimPrefix(line, indent)
			continue
		}
		lines = append(lines, line)
	}
	return lines
}

// atSplitLength reports whether package syslog splits a message at that length: at the limit,
// or up to three bytes before, where a character of several bytes did not fit.
func atSplitLength(length int) bool {
	for _, most := range syslogLimits {
		if length < most && length >= most-4 {
			return true
		}
	}
	return false
}

var syslogLimits = [...]int{255, 1023}

// beginsBlock reports whether a line is the first of a value of several lines.
func (g *Messages) beginsBlock(i int) bool {
	return strings.HasSuffix(g.lines[i], ":") && i+1 < len(g.lines) && strings.HasPrefix(g.lines[i+1], indent+indent) && !strings.HasPrefix(g.lines[i], indent+indent)
}
