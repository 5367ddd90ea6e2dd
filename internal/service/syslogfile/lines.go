package syslogfile

import (
	"bytes"
	"io"
)

// most is how long a line gets in memory: what is longer is taken for several.
const most = 1 << 20

// Lines is an io.Writer that hands each whole line to a function, with its newline.
type Lines struct {
	To   func(line []byte) error
	rest []byte
}

func (l *Lines) Write(p []byte) (int, error) {
	n := len(p)
	for {
		end := bytes.IndexByte(p, '\n') + 1
		if end == 0 {
			break
		}
		line := p[:end]
		if len(l.rest) > 0 {
			line = append(l.rest, line...)
		}
		l.rest, p = l.rest[:0], p[end:]
		if err := l.To(line); err != nil {
			return 0, err
		}
	}
	l.rest = append(l.rest, p...)
	if len(l.rest) >= most {
		return n, l.End()
	}
	return n, nil
}

// End hands over what is left, as a line.
func (l *Lines) End() error {
	if len(l.rest) == 0 {
		return nil
	}
	line := append(l.rest, '\n')
	l.rest = l.rest[:0]
	return l.To(line)
}

// Last writes the last lines of what it gets to an io.Writer. N says how many; 0 is all.
type Last struct {
	W     io.Writer
	N     int
	lines [][]byte
	next  int
	Count int // of all that were added
}

// Add adds a line.
func (l *Last) Add(line []byte) error {
	l.Count++
	switch {
	case l.N <= 0:
		_, err := l.W.Write(line)
		return err
	case len(l.lines) < l.N:
		l.lines = append(l.lines, bytes.Clone(line))
	default:
		l.lines[l.next] = append(l.lines[l.next][:0], line...)
		l.next = (l.next + 1) % l.N
	}
	return nil
}

// Flush writes them.
func (l *Last) Flush() error {
	if len(l.lines) == 0 {
		return nil
	}
	lines := append(l.lines[l.next:len(l.lines):len(l.lines)], l.lines[:l.next]...)
	l.lines, l.next = nil, 0
	_, err := l.W.Write(bytes.Join(lines, nil))
	return err
}
