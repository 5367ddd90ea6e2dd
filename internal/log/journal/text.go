package journal

import (
	"encoding/binary"
	"strconv"
	"unicode/utf8"
)

// notation selects how text escapes what journalctl would not show.
type notation uint8

const (
	goText   notation = iota // \x1b
	jsonText                 // \u001b, so that the value is still JSON
)

// plain reports whether the last n bytes of b are printable ASCII in one line. It may
// return false for a tab. It checks eight bytes at a time; most values have no more.
func plain(b []byte, n int) bool {
	const (
		ones   = 0x0101010101010101
		high   = 0x80 * ones
		spaces = ' ' * ones
	)
	for ; n >= 8; n -= 8 {
		// For a byte below ' ', the difference has the high bit set; for one above '~', the
		// sum or the byte itself. A byte only borrows from the next one if the result is
		// false anyway.
		if x := binary.LittleEndian.Uint64(b[len(b)-n:]); ((x-spaces)|(x+ones)|x)&high != 0 {
			return false
		}
	}
	if len(b) < 8 {
		for _, c := range b[len(b)-n:] {
			if c < ' ' || c > '~' {
				return false
			}
		}
		return true
	}
	// Shift out the bytes before the last n, and fill with spaces.
	x := binary.LittleEndian.Uint64(b[len(b)-8:])>>(64-8*n) | spaces<<(8*n)
	return ((x-spaces)|(x+ones)|x)&high == 0
}

// shown reports whether journalctl shows text that contains r. It does not if systemd's
// utf8_is_printable returns false: for control characters, and for code points reserved by
// Unicode.
func shown(r rune) bool {
	switch {
	case r < ' ':
		return r == '\t' || r == '\n'
	case r < 0x7F:
		return true
	case r < 0xA0:
		return false
	case 0xFDD0 <= r && r <= 0xFDEF:
		return false
	}
	return r&0xFFFE != 0xFFFE
}

// appendReadable appends up to limit bytes of v. It escapes what would not be shown and,
// with oneLine, newlines. It returns how many bytes of v it has appended.
func appendReadable(b []byte, v string, n notation, oneLine bool, limit int) ([]byte, int) {
	const longest = 12 // the length of an escaped surrogate pair in JSON
	end := len(b) + limit - longest
	done := 0
	for i := 0; i < len(v); {
		r, size := rune(v[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(v[i:])
		}
		invalid := r == utf8.RuneError && size == 1
		if !invalid && shown(r) && !(oneLine && r == '\n') {
			if i += size; len(b)+i-done < end {
				continue
			}
			b = append(b, v[done:i]...)
			return b, i
		}
		b = append(b, v[done:i]...)
		switch {
		case invalid && n == jsonText:
			b = append(b, `\ufffd`...)
		case invalid:
			b = appendHex(append(b, '\\', 'x'), v[i])
		case n == jsonText:
			b = appendJSONEscape(b, r)
		default:
			b = appendEscape(b, r)
		}
		i += size
		done = i
		if len(b) >= end {
			return b, done
		}
	}
	return append(b, v[done:]...), len(v)
}

func appendHex(b []byte, c byte) []byte {
	const digits = "0123456789abcdef"
	return append(b, digits[c>>4], digits[c&0xF])
}

// appendEscape appends r as in a Go string.
func appendEscape(b []byte, r rune) []byte {
	if r == 0 {
		return append(b, `\x00`...)
	}
	var quoted [16]byte
	q := strconv.AppendQuoteRuneToASCII(quoted[:0], r)
	return append(b, q[1:len(q)-1]...)
}

func appendJSONEscape(b []byte, r rune) []byte {
	if r > 0xFFFF {
		r -= 0x10000
		b = appendJSONEscape(b, 0xD800+r>>10)
		r = 0xDC00 + r&0x3FF
	}
	b = append(b, '\\', 'u')
	return appendHex(appendHex(b, byte(r>>8)), byte(r))
}
