// Package envfile parses files with environment variables as systemd parses those of
// EnvironmentFile=. It does not run or expand anything in them.
package envfile

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Variable is the environment variable that names the file for processes that a manager other
// than systemd has started. The process reads the file itself. A dash before the path means
// that the file may be missing.
const Variable = "SERVICE_ENVIRONMENT_FILE"

// Split returns the path in setting, and whether the file may be missing.
func Split(setting string) (path string, optional bool) { return strings.CutPrefix(setting, "-") }

// Var holds a variable.
type Var struct{ Name, Value string }

// Parse returns the variables in text, in their order, and a description of each invalid line.
//
// A line has the form NAME=value. Empty lines and lines that begin with # or ; are ignored. A
// backslash removes the special meaning of the next character, and joins the next line at the
// end of a line. Quotes preserve blanks and newlines. In single quotes, a backslash has no
// special meaning; in double quotes, only one before ", \, ` or $ has. Shell syntax is not
// supported, except export before a name.
func Parse(text string) (vars []Var, wrong []string) {
	p := parser{unread: text, line: 1}
	for p.unread != "" {
		at := p.line
		name, value, ok := p.parseLine()
		name, _ = strings.CutPrefix(name, "export ")
		name = strings.TrimSpace(name)
		switch {
		case !ok:
		case !isName(name) || !utf8.ValidString(value) || strings.ContainsFunc(value, isControl):
			wrong = append(wrong, fmt.Sprintf("line %d is not NAME=value", at))
		default:
			vars = append(vars, Var{name, value})
		}
	}
	return vars, wrong
}

// isName reports whether name is a valid name of a variable.
func isName(name string) bool {
	for i, r := range name {
		if r != '_' && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

func isControl(r rune) bool { return r != '\t' && r != '\n' && unicode.IsControl(r) }

type parser struct {
	unread string
	line   int
}

// nextByte removes and returns the next byte.
func (p *parser) nextByte() (c byte) {
	c, p.unread = p.unread[0], p.unread[1:]
	if c == '\n' {
		p.line++
	}
	return c
}

func endsLine(c byte) bool { return c == '\n' || c == '\r' }
func isBlank(c byte) bool  { return c == ' ' || c == '\t' || endsLine(c) }

// parseLine parses a line and its continuations. It returns false for an empty line or a
// comment.
func (p *parser) parseLine() (name, value string, ok bool) {
	switch c := p.nextByte(); {
	case isBlank(c):
		return "", "", false
	case c == '#' || c == ';':
		for p.unread != "" && !endsLine(p.nextByte()) {
		}
		return "", "", false
	default:
		name = string(c)
	}
	for {
		if p.unread == "" {
			return "", "", true
		}
		switch c := p.nextByte(); {
		case endsLine(c):
			return "", "", true // no = found
		case c == '=':
			return name, p.value(), true
		default:
			name += string(c)
		}
	}
}

// value parses the value up to the end of the line.
func (p *parser) value() string {
	var b []byte
	kept := 0      // the length without blanks at the end
	begun := false // something outside of quotes has been read
	for p.unread != "" {
		c := p.nextByte()
		switch {
		case endsLine(c):
			return string(b[:kept])
		case c == '\\':
			begun = true
			if p.unread == "" {
				return string(b[:kept])
			}
			if c = p.nextByte(); !endsLine(c) {
				b = append(b, c)
			}
			kept = len(b)
		case !begun && (c == '\'' || c == '"'):
			b = append(b[:kept], p.quoted(c)...)
			kept = len(b)
		case isBlank(c):
			if begun {
				b = append(b, c)
			}
		default:
			begun = true
			b = append(b, c)
			kept = len(b)
		}
	}
	return string(b[:kept])
}

// quoted parses the text after a quote up to and including the closing one.
func (p *parser) quoted(quote byte) (b []byte) {
	for p.unread != "" {
		c := p.nextByte()
		if c == quote {
			return b
		}
		if c == '\\' && quote == '"' && p.unread != "" {
			switch next := p.nextByte(); {
			case next == '\n':
				continue
			case strings.IndexByte("\"\\`$", next) >= 0:
				c = next
			default:
				b = append(b, c)
				c = next
			}
		}
		b = append(b, c)
	}
	return b
}
