// Package symptom knows what the errors mean that programs log when they cannot run, and
// what to do about them.
package symptom

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service"
)

// Service is the service that has logged, and what is known of it.
type Service struct {
	Manager string // its name
	Spec    service.Spec
	Limits  service.Confinement
	State   string // the folder of its state, "" if it has none
	Machine Machine
}

// Machine is where the service runs. What it says has been found out without the rights of
// the service.
type Machine struct {
	// Exists reports whether there is such a file.
	Exists func(file string) bool

	// Barred says why the account of the service may not use file, by the modes of the
	// files, and what to do about it; "" if it may.
	Barred func(file string, to Use) (why, remedy string)

	// Group returns the group that may use a device that is not for everybody, or "".
	Group func(device string) string

	// Listens names the process that listens at an address, "" if it is not known.
	Listens func(network, address string) string
}

// Use is what a service wants to do with a file.
type Use string

// The uses.
const (
	Read    Use = "read"
	Write   Use = "write to"
	Execute Use = "execute"
)

// Finding is what a log says about why a service does not run.
type Finding struct {
	Means  string
	Said   string // in the log
	Remedy string
}

// Last returns what the last sign in log means. The signs in skip do not count.
func Last(log string, s Service, skip ...string) (Finding, bool) {
	text := lower(log)
	for _, again := range spawnError.FindAllString(text, -1) {
		text = strings.ReplaceAll(text, again, strings.Repeat("\x00", len(again)))
	}
	for _, sign := range skip {
		text = strings.ReplaceAll(text, sign, strings.Repeat("\x00", len(sign)))
	}
	var last sign
	from, to := 0, -1
	for _, x := range signs {
		// Of two that end together, the first in the table says more.
		if i := strings.LastIndex(text, x.text); i >= 0 && i+len(x.text) > to {
			last, from, to = x, i, i+len(x.text)
		}
	}
	if to < 0 {
		return Finding{}, false
	}
	begin := strings.LastIndexByte(log[:from], '\n') + 1
	line, _, _ := strings.Cut(log[begin:], "\n")
	means, remedy := last.judge(newClue(s, log[begin:from]))
	return Finding{Means: s.withoutDirectives(means), Said: errorText(line), Remedy: s.withoutDirectives(remedy)}, true
}

// spawnError is how systemd repeats an error of its own, without the path that it is about.
var spawnError = regexp.MustCompile(`failed at step [a-z_]+ spawning [^\n]*`)

// errorField is where a record has its error: in JSON, and as text.
var errorField = regexp.MustCompile(`(?:"error":| error=)("(?:[^"\\]|\\.)*"|\S+)`)

// errorText is what a line of a log says, without when, where and by whom it was said.
func errorText(line string) string {
	if found := errorField.FindAllStringSubmatch(line, -1); found != nil {
		text := found[len(found)-1][1]
		if plain, err := strconv.Unquote(text); err == nil {
			return plain
		}
		return text
	}
	if head, text, ok := strings.Cut(line, "]: "); ok && !strings.Contains(head, "{") {
		line = text
	}
	return strings.TrimSpace(line)
}

// directives are those of systemd in a text.
var directives = regexp.MustCompile(` \([A-Z][A-Za-z]*=[^)]*\)`)

// withoutDirectives leaves the directives of systemd out for those who do not have it.
func (s Service) withoutDirectives(text string) string {
	if s.Manager == "systemd" {
		return text
	}
	return directives.ReplaceAllString(text, "")
}

// lower changes only the letters of ASCII, so that all stays where it is.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// clue is what stands before a sign.
type clue struct {
	Service
	before string // in its line
	path   string // the last absolute path there, "" if there is none
	action string // before without that path, in lower case
}

func newClue(s Service, before string) clue {
	c := clue{Service: s, before: strings.TrimRight(before, ": ")}
	c.action = lower(c.before)
	for i := len(c.before) - 1; i >= 0; i-- {
		if c.before[i] != '/' || i > 0 && !strings.ContainsRune(" \"'`=([", rune(c.before[i-1])) {
			continue
		}
		rest, quote := c.before[i:], ""
		if i > 0 && strings.Contains("\"'`", c.before[i-1:i]) {
			quote = c.before[i-1 : i]
		}
		if quote != "" {
			rest, _, _ = strings.Cut(rest, quote)
		}
		rest, _, _ = strings.Cut(rest, ": ")
		c.path = path.Clean(strings.TrimRight(rest, ")],;"))
		c.action = c.action[:i]
		return c
	}
	return c
}

// mentions reports whether a word that begins with one of words stands before the sign,
// outside of the path.
func (c clue) mentions(words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return c.lastIndex(w) >= 0 })
}

// lastIndex returns where the last word that begins with word stands, -1 if there is none.
func (c clue) lastIndex(word string) int {
	for end := len(c.action); ; {
		i := strings.LastIndex(c.action[:end], word)
		if i <= 0 || !letter(c.action[i-1]) {
			return i
		}
		end = i + len(word) - 1
	}
}

func letter(c byte) bool { return 'a' <= c && c <= 'z' || c == '_' }

// directiveIs reports whether a directive of the sandbox has one of values, or, without values, any
// that switches it on.
func (c clue) directiveIs(directive string, values ...string) bool {
	value := c.Limits.Directives[directive]
	if len(values) == 0 {
		return value != "" && value != "no"
	}
	return slices.Contains(values, value)
}

// below reports whether the path is one of folders, or is in one.
func (c clue) below(folders ...string) bool {
	return slices.ContainsFunc(folders, func(f string) bool { return c.path == f || strings.HasPrefix(c.path, f+"/") })
}

// ownFolder is where the service may write.
func (c clue) ownFolder() string {
	if c.State == "" {
		return "its own folders"
	}
	return "its state folder " + c.State
}
