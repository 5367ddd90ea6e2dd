// Package envfile reads files with variables of the environment as systemd reads those of
// EnvironmentFile=. Nothing in them is run or expanded.
package envfile

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Variable names, on a process that a manager other than systemd has started, the file that
// the process is to read itself. A dash before the path says that the file may be missing.
const Variable = "SERVICE_ENVIRONMENT_FILE"

// Split returns the path that setting names, and whether the file may be missing.
func Split(setting string) (path string, optional bool) { return strings.CutPrefix(setting, "-") }

// Var is a variable.
type Var struct{ Name, Value string }

// Parse returns the variables in text, in their order, and says what of it is none.
//
// A line is NAME=value. Empty lines and those that begin with # or ; count for nothing. A
// backslash takes away what the next character means, and at the end of a line joins the
// next one to it. What is in quotes keeps its blanks and newlines; in single quotes a
// backslash means nothing, in double quotes only one before ", \, ` or $. The words of a
// shell script are not understood, except export before a name.
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

// isName reports whether name can be that of a variable.
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

// nextByte removes the next byte. Both of \r\n end a line.
func (p *parser) nextByte() (c byte) {
	c, p.unread = p.unread[0], p.unread[1:]
	if c == '\n' {
		p.line++
	}
	return c
}

func endsLine(c byte) bool { return c == '\n' || c == '\r' }
func isBlank(c byte) bool  { return c == ' ' || c == '\t' || endsLine(c) }

// parseLine takes a line, with those that belong to it. A line that is empty, or a comment, is
// not ok.
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
			return "", "", true // there was no =
		case c == '=':
			return name, p.value(), true
		default:
			name += string(c)
		}
	}
}

// value takes the rest of a line.
func (p *parser) value() string {
	var b []byte
	kept := 0      // what is not a blank at the end
	begun := false // with something outside of quotes
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

// quoted takes what follows a quote, and the one that ends it.
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
