package systemd

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// Each kind of value has its own rules in unit files. These were tested on systemd 257 with
// a program that reports what reaches it. Spec.Check ensures that no value has a control
// character except the tab.

// escapeText escapes a value that systemd takes literally, such as a description or a path
// that is alone in its line. Only % has a meaning there, and so has a backslash at the very
// end, which would join the next line. systemd strips the blank that is appended then.
func escapeText(s string) string {
	s = strings.ReplaceAll(s, "%", "%%")
	if strings.HasSuffix(s, `\`) {
		s += " "
	}
	return s
}

// blanks are the characters that systemd strips from both ends of a value without quotes.
const blanks = " \t"

// quoteWord quotes a word of a list. Quotes keep blanks, and a backslash removes the meaning
// of a character.
func quoteWord(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`).Replace(s) + `"`
}

// quoteIfNeeded quotes a word only if it has to be quoted.
func quoteIfNeeded(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return ('a' > r || r > 'z') && ('A' > r || r > 'Z') && ('0' > r || r > '9') && !strings.ContainsRune("/._-+=:,@^", r) && r < 0x80
	}) {
		return s
	}
	return quoteWord(s)
}

// shell runs executables that systemd itself refuses.
const shell = "/bin/sh"

// execLine returns the value of an ExecStart that runs executable with args.
//
// If one of them contains a $, the line begins with a colon, which keeps systemd from looking
// for variables. systemd refuses an executable with a quote or a backslash in its path; a
// shell runs that, and replaces itself with it.
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

// execWords splits what execLine returns. It returns false for anything else.
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

// assignment returns the value of an Environment with one variable.
func assignment(v manage.Var) string { return quoteIfNeeded(v.Name + "=" + v.Value) }

// Paths in a list cannot contain these characters. How systemd reads quotes and backslashes
// there differs by directive. It reads some twice, and then does not start the service
// ("Failed to deserialize"). In BindPaths, a colon is a separator.
const (
	notInLists = `"'\`
	notInBinds = notInLists + ":"
)

// pathList returns the value of a list of paths. It fails if one contains a character of
// without.
func pathList(field string, list []string, without string) (string, error) {
	words := make([]string, len(list))
	for i, p := range list {
		if strings.ContainsAny(p, without) {
			return "", fmt.Errorf("%w: %s has %q: systemd accepts no path there that contains one of %s", manage.ErrConfig, field, p, without)
		}
		words[i] = quoteIfNeeded(p)
	}
	return strings.Join(words, " "), nil
}

// credentialValue returns the value of a LoadCredential. Since systemd 254 a service does not
// start if the path of a credential contains blanks or quotes.
func credentialValue(name, file string) (string, error) {
	const without = blanks + notInLists
	if strings.ContainsAny(file, without) {
		return "", fmt.Errorf("%w: Systemd.Credentials has %q: systemd accepts no path there that contains a blank or one of %s", manage.ErrConfig, file, notInLists)
	}
	return name + ":" + escapeText(file), nil
}

// formatDuration formats a duration. It rounds up, so that the result never is 0, which often
// means infinity.
func formatDuration(d time.Duration) string {
	switch {
	case d%time.Second == 0:
		return fmt.Sprintf("%ds", d/time.Second)
	case d%time.Millisecond == 0:
		return fmt.Sprintf("%dms", d/time.Millisecond)
	}
	return fmt.Sprintf("%dus", (d+time.Microsecond-1)/time.Microsecond)
}
