package systemd

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/internal/service"
)

// Each kind of value has rules of its own in unit files. What stands here was tried on
// systemd 257, with a program that says what has reached it. No value has a control
// character but the tab: Spec.Check lets none through.

// escapeText is a value that systemd takes as it stands: a description, a path that is alone
// in its line. Only % means something, and a backslash at the very end, which would
// take the next line with it; what follows it is stripped.
func escapeText(s string) string {
	s = strings.ReplaceAll(s, "%", "%%")
	if strings.HasSuffix(s, `\`) {
		s += " "
	}
	return s
}

// blanks are what systemd strips from both ends of a value that has no quotes.
const blanks = " \t"

// quoteWord is a word of a list, where quotes keep blanks and a backslash takes away what
// a character means.
func quoteWord(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`).Replace(s) + `"`
}

// quoteIfNeeded is quoted where it has to be.
func quoteIfNeeded(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return ('a' > r || r > 'z') && ('A' > r || r > 'Z') && ('0' > r || r > '9') && !strings.ContainsRune("/._-+=:,@^", r) && r < 0x80
	}) {
		return s
	}
	return quoteWord(s)
}

// shell runs what systemd itself does not.
const shell = "/bin/sh"

// execLine is the value of an ExecStart that runs executable with args.
//
// Where a $ is among them, the colon before it keeps systemd from looking for variables
// anywhere in the line. An executable that has a quote or a backslash in its path is
// refused by systemd; a shell, which is gone at once, runs it.
func execLine(executable string, args []string) string {
	words := append([]string{executable}, args...)
	if strings.ContainsAny(executable, `"'\`) {
		words = append([]string{shell, "-c", `exec "$0" "$@"`}, words...)
	}
	prefix := ""
	for i, w := range words {
		if strings.Contains(w, "$") {
			prefix = ":"
		}
		words[i] = quoteIfNeeded(w)
	}
	return prefix + strings.Join(words, " ")
}

// execWords takes apart what execLine has made. It returns false for anything else.
func execWords(line string) (words []string, ok bool) {
	line = strings.TrimPrefix(line, ":")
	for line != "" {
		var word strings.Builder
		if line[0] != '"' {
			plain, rest, _ := strings.Cut(line, " ")
			if strings.ContainsAny(plain, `"'\%`) {
				return nil, false
			}
			words, line = append(words, plain), rest
			continue
		}
		for line = line[1:]; ; {
			i := strings.IndexAny(line, `"\%`)
			if i < 0 {
				return nil, false
			}
			word.WriteString(line[:i])
			if line[i] == '"' {
				line = line[i+1:]
				break
			}
			if i+1 == len(line) {
				return nil, false
			}
			word.WriteByte(line[i+1])
			line = line[i+2:]
		}
		words = append(words, word.String())
		line = strings.TrimPrefix(line, " ")
	}
	if len(words) > 3 && words[0] == shell && words[2] == `exec "$0" "$@"` {
		words = words[3:]
	}
	return words, len(words) > 0
}

// assignment is the value of an Environment with one variable.
func assignment(v service.Var) string { return quoteIfNeeded(v.Name + "=" + v.Value) }

// What paths in a list cannot have. What systemd makes of quotes and backslashes there
// differs from directive to directive; some it reads twice, and then does not start the
// service ("Failed to deserialize"). In a BindPaths, a colon separates.
const (
	notInLists = `"'\`
	notInBinds = notInLists + ":"
)

// pathList is the value of a list of paths, none of which has a character of without.
func pathList(field string, list []string, without string) (string, error) {
	words := make([]string, len(list))
	for i, p := range list {
		if strings.ContainsAny(p, without) {
			return "", fmt.Errorf("%w: %s has %q: systemd takes no path there with one of %s in it", service.ErrSpec, field, p, without)
		}
		words[i] = quoteIfNeeded(p)
	}
	return strings.Join(words, " "), nil
}

// credentialValue is the value of a LoadCredential. Since systemd 254 a service does not start
// whose credential comes from a path with blanks or quotes.
func credentialValue(name, file string) (string, error) {
	const without = blanks + notInLists
	if strings.ContainsAny(file, without) {
		return "", fmt.Errorf("%w: Systemd.Credentials has %q: systemd takes no path there with a blank, or with one of %s in it", service.ErrSpec, file, notInLists)
	}
	return name + ":" + escapeText(file), nil
}

// formatDuration is a duration. It is rounded up, so that it never becomes 0, which often means
// for ever.
func formatDuration(d time.Duration) string {
	switch {
	case d%time.Second == 0:
		return fmt.Sprintf("%ds", d/time.Second)
	case d%time.Millisecond == 0:
		return fmt.Sprintf("%dms", d/time.Millisecond)
	}
	return fmt.Sprintf("%dus", (d+time.Microsecond-1)/time.Microsecond)
}
