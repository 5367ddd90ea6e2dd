// Package shell writes words that a POSIX shell takes as they are.
package shell

import "strings"

// Quote makes one word of s: nothing in it is expanded. s must not contain NUL.
func Quote(s string) string {
	if s != "" && !strings.ContainsFunc(s, special) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// Join quotes words and puts a space between them.
func Join(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = Quote(w)
	}
	return strings.Join(quoted, " ")
}

// special reports whether r means something to a shell anywhere in a word.
func special(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return !strings.ContainsRune("@%_-+:,./", r)
}

// Words takes apart what Join has made, and stops at anything else. It is for a line that
// Join has made a part of: what comes after a newline is not read.
func Words(line string) (words []string) {
	line, _, _ = strings.Cut(line, "\n")
	for line = strings.TrimLeft(line, " "); line != ""; line = strings.TrimLeft(line, " ") {
		var word strings.Builder
		for line != "" && line[0] != ' ' {
			quoted, rest, ok := "", "", false
			switch line[0] {
			case '\'':
				if quoted, rest, ok = strings.Cut(line[1:], "'"); !ok {
					return words
				}
			case '\\':
				if len(line) < 2 {
					return words
				}
				quoted, rest = line[1:2], line[2:]
			default:
				end := strings.IndexFunc(line, special)
				if end == 0 {
					return words
				}
				if end < 0 {
					end = len(line)
				}
				quoted, rest = line[:end], line[end:]
			}
			word.WriteString(quoted)
			line = rest
		}
		words = append(words, word.String())
	}
	return words
}

// After returns the words that follow the first mark in a text, and nil without one.
func After(text, mark string) []string {
	_, line, ok := strings.Cut(text, mark)
	if !ok {
		return nil
	}
	return Words(line)
}
