package records

import (
	"bytes"
	"strings"
)

// Plain turns the lines of a file that a program writes to into records. A JSON object as
// package logtext writes it is a record; every other line is one too. An indented line
// belongs to the line before it, as in the stack of a crash.
type Plain struct {
	View    *View
	pending strings.Builder // the lines of one, without the newline of the last
}

// Line adds a line.
func (p *Plain) Line(line []byte) error {
	line = bytes.TrimRight(line, "\r\n")
	if r, ok := FromJSON(line); ok {
		if err := p.End(); err != nil {
			return err
		}
		return p.View.Add(r)
	}
	if indented := len(line) > 0 && (line[0] == ' ' || line[0] == '\t'); indented && p.pending.Len() > 0 && p.pending.Len()+len(line) < maxLine {
		p.pending.WriteByte('\n')
		p.pending.Write(line)
		return nil
	}
	if err := p.End(); err != nil {
		return err
	}
	if len(line) > 0 {
		p.pending.Write(line)
	}
	return nil
}

// End completes the last record: no more lines of it are expected.
func (p *Plain) End() error {
	if p.pending.Len() == 0 {
		return nil
	}
	var r Record
	r.Message = p.pending.String()
	p.pending.Reset()
	return p.View.Add(r)
}
