package records

import (
	"bytes"
)

// maxLine is the number of bytes of a line that are kept in memory. A longer line is split.
const maxLine = 1 << 20

// Lines is an io.Writer that passes each complete line, with its newline, to a function.
type Lines struct {
	To      func(line []byte) error
	Most    int // bytes of a line, 1 MiB if zero; a longer line is split
	partial []byte
}

func (l *Lines) Write(p []byte) (int, error) {
	n := len(p)
	for {
		end := bytes.IndexByte(p, '\n') + 1
		if end == 0 {
			break
		}
		line := p[:end]
		if len(l.partial) > 0 {
			line = append(l.partial, line...)
		}
		l.partial, p = l.partial[:0], p[end:]
		if err := l.To(line); err != nil {
			return 0, err
		}
	}
	l.partial = append(l.partial, p...)
	if most := max(l.Most, maxLine); len(l.partial) >= most {
		return n, l.End()
	}
	return n, nil
}

// End passes on an incomplete last line.
func (l *Lines) End() error {
	if len(l.partial) == 0 {
		return nil
	}
	line := append(l.partial, '\n')
	l.partial = l.partial[:0]
	return l.To(line)
}
