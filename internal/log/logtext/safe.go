package logtext

import (
	"strconv"
	"unicode/utf8"
)

// AppendSafe appends s in one line, with characters that are not visible escaped as in Go.
func AppendSafe[T ~string | ~[]byte](b []byte, s T) []byte {
	done := 0
	for i := 0; i < len(s); {
		if c := s[i]; ' ' <= c && c <= '~' {
			i++
			continue
		}
		r, size := decode(s[i:])
		if size > 1 && strconv.IsGraphic(r) {
			i += size
			continue
		}
		b = append(b, s[done:i]...)
		b = appendEscape(b, r, s[i], size)
		i += size
		done = i
	}
	return append(b, s[done:]...)
}

// appendQuoted appends s in quotes.
func appendQuoted[T ~string | ~[]byte](b []byte, s T) []byte {
	b = append(b, '"')
	done := 0
	for i := 0; i < len(s); {
		c := s[i]
		if ' ' <= c && c <= '~' && c != '"' && c != '\\' {
			i++
			continue
		}
		if c == '"' || c == '\\' {
			b = append(append(b, s[done:i]...), '\\', c)
			i++
			done = i
			continue
		}
		r, size := decode(s[i:])
		if size > 1 && strconv.IsGraphic(r) {
			i += size
			continue
		}
		b = append(b, s[done:i]...)
		b = appendEscape(b, r, c, size)
		i += size
		done = i
	}
	return append(append(b, s[done:]...), '"')
}

// bare reports whether s needs no quotes as the value of a key.
func bare[T ~string | ~[]byte](s T) bool {
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c <= ' ', c == '"', c == '=', c == '\\', c == 0x7F:
			return false
		case c < utf8.RuneSelf:
			i++
			continue
		}
		r, size := decode(s[i:])
		if size == 1 || !strconv.IsPrint(r) {
			return false
		}
		i += size
	}
	return len(s) > 0
}

// bareInList reports whether s needs no quotes inside brackets.
func bareInList[T ~string | ~[]byte](s T) bool {
	for i := range len(s) {
		switch s[i] {
		case ',', '[', ']', '{', '}':
			return false
		}
	}
	return bare(s)
}

// bareInLine reports whether s needs no quotes as the last value in a line.
func bareInLine[T ~string | ~[]byte](s T) bool {
	if len(s) == 0 || s[0] == ' ' || s[0] == '"' || s[len(s)-1] == ' ' {
		return false
	}
	for i := 0; i < len(s); {
		if c := s[i]; ' ' <= c && c <= '~' {
			i++
			continue
		}
		r, size := decode(s[i:])
		if size == 1 || !strconv.IsPrint(r) {
			return false
		}
		i += size
	}
	return true
}

func decode[T ~string | ~[]byte](s T) (rune, int) {
	// Convert only the first bytes, so that the result stays on the stack.
	return utf8.DecodeRuneInString(string(s[:min(len(s), utf8.UTFMax)]))
}

// appendEscape appends r as in a Go string. size is its length in bytes, and c its first
// byte.
func appendEscape(b []byte, r rune, c byte, size int) []byte {
	const digits = "0123456789abcdef"
	switch {
	case r == '\n':
		return append(b, `\n`...)
	case r == '\t':
		return append(b, `\t`...)
	case r == '\r':
		return append(b, `\r`...)
	case size == 1:
		return append(b, '\\', 'x', digits[c>>4], digits[c&0xF])
	}
	var quoted [16]byte
	q := strconv.AppendQuoteRuneToASCII(quoted[:0], r)
	return append(b, q[1:len(q)-1]...)
}

// clip returns at most most bytes of s, up to a character boundary.
func clip[T ~string | ~[]byte](s T, most int) T {
	if len(s) <= most {
		return s
	}
	for i := range utf8.UTFMax {
		if most > i && utf8.RuneStart(s[most-i]) {
			return s[:most-i]
		}
	}
	return s[:most]
}
