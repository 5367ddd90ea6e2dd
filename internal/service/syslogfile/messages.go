package syslogfile

import (
	"strconv"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/internal/log/logtext"
	"github.com/go-glidepath/glidepath/internal/service/records"
)

// maxMessages is how many bytes of the messages of one record are kept.
const maxMessages = 1 << 20

// Messages makes records of the messages of a service. Those that are indented belong to
// the one before them of the same process.
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

// End says that nothing more of the record that was added last is to be waited for.
func (g *Messages) End() error {
	if len(g.lines) == 0 {
		return nil
	}
	lines := g.joinSplit()
	var r records.Record
	r.Time, r.PID = g.first.At, g.first.PID
	level, text := logtext.CutLevelPrefix(lines[0])
	if r.Level = level; g.first.Known && text == lines[0] { // there is no word for it
		r.Level = g.first.Level
	}
	lines[0] = text
	r.AddText(lines)
	g.lines = g.lines[:0]
	return g.View.Add(r)
}

const indent = "    "

// joinSplit returns the lines of the record, with those whole again that package syslog has
// split.
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

// atSplitLength reports whether a message of that length is one at which package syslog splits:
// the length, or what a character of several bytes has left of it.
func atSplitLength(length int) bool {
	for _, most := range syslogLimits {
		if length < most && length >= most-4 {
			return true
		}
	}
	return false
}

var syslogLimits = [...]int{255, 1023}

// beginsBlock reports whether a line is the first of a value of several.
func (g *Messages) beginsBlock(i int) bool {
	return strings.HasSuffix(g.lines[i], ":") && i+1 < len(g.lines) && strings.HasPrefix(g.lines[i+1], indent+indent) && !strings.HasPrefix(g.lines[i], indent+indent)
}
