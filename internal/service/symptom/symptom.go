// Package symptom knows what the errors mean that programs log when they cannot run, and
// what to do about them.
package symptom

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// Service is the service that has logged, with what is known about it.
type Service struct {
	Manager string // the name of its manager
	Spec    manage.Spec
	Limits  manage.Confinement
	State   string // its state folder, "" if it has none
	Machine Machine
}

// Machine answers questions about the machine that runs the service. It is asked without the
// rights of the service.
type Machine struct {
	// Exists reports whether there is such a file.
	Exists func(file string) bool

	// Barred says why the modes of the files do not let the service's account use file, and
	// what to do about it. It returns "" if they do.
	Barred func(file string, to Use) (why, remedy string)

	// Group returns the group that may use a device that others may not use, or "".
	Group func(device string) string

	// Listens names the process that listens at an address, or returns "" if it is not known.
	Listens func(network, address string) string
}

// Use is what a service does with a file.
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
	Said   string // the line of the log
	Remedy string
}

// Last returns what the last sign in log means. It ignores the signs in skip.
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
		// If two end at the same place, the first in the table says more.
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

// spawnError matches how systemd repeats its own error, without the path that it is about.
var spawnError = regexp.MustCompile(`failed at step [a-z_]+ spawning [^\n]*|failed to (?:run|spawn) '[a-z-]+' task: [^\n]*`)

// errorField matches the error of a record, in JSON or text.
var errorField = regexp.MustCompile(`(?:"error":| error=)("(?:[^"\\]|\\.)*"|\S+)`)

// errorText returns the error or the message of a line of a log, without time, level and
// process.
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

// directives matches the directives of systemd in a text.
var directives = regexp.MustCompile(` \([A-Z][A-Za-z]*=[^)]*\)`)

// withoutDirectives returns text without the directives of systemd, unless the manager is
// systemd.
func (s Service) withoutDirectives(text string) string {
	if s.Manager == "systemd" {
		return text
	}
	return directives.ReplaceAllString(text, "")
}

// lower changes only ASCII letters, so that all positions stay the same.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// clue is what precedes a sign.
type clue struct {
	Service
	before string // in its line
	path   string // the last absolute path there, "" if there is none
	action string // before without that path, in lower case
}

// operation matches what Go puts before the error of the system if a call fails that has one
// path. That may contain blanks and colons.
var operation = regexp.MustCompile(`^(?:.*[ "'(=:])?(?:open|openat|stat|lstat|mkdir|chdir|readlink|remove|unlink|unlinkat|rmdir|chmod|truncate|fork/exec) (/[^"]*)$`)

func newClue(s Service, before string) clue {
	c := clue{Service: s, before: strings.TrimRight(before, ": ")}
	c.action = lower(c.before)
	if m := operation.FindStringSubmatchIndex(c.before); m != nil {
		c.path, c.action = path.Clean(strings.TrimRight(c.before[m[2]:m[3]], ")],;")), c.action[:m[2]]
		return c
	}
	if dir := c.Limits.Directives["WorkingDirectory"]; path.IsAbs(dir) && strings.Contains(c.action, "the requested working directory") {
		c.path = dir
		return c
	}
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

// mentions reports whether a word that begins with one of words precedes the sign, outside of
// the path.
func (c clue) mentions(words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return c.lastIndex(w) >= 0 })
}

// lastIndex returns the position of the last word that begins with word, or -1.
func (c clue) lastIndex(word string) int {
	for end := len(c.action); ; {
		i := strings.LastIndex(c.action[:end], word)
		if i <= 0 || !isLetter(c.action[i-1]) {
			return i
		}
		end = i + len(word) - 1
	}
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || c == '_' }

// directiveIs reports whether a directive of the sandbox has one of values or, without
// values, is switched on.
func (c clue) directiveIs(directive string, values ...string) bool {
	value := c.Limits.Directives[directive]
	if len(values) == 0 {
		return value != "" && value != "no"
	}
	return slices.Contains(values, value)
}

// below reports whether the path is one of folders or in one of them.
func (c clue) below(folders ...string) bool {
	return slices.ContainsFunc(folders, func(f string) bool { return c.path == f || strings.HasPrefix(c.path, f+"/") })
}

// ownFolder names the folder to which the service may write.
func (c clue) ownFolder() string {
	if c.State == "" {
		return "its own folders"
	}
	return "its state folder " + c.State
}
