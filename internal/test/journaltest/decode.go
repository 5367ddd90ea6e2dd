package journaltest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"regexp"
)

var validName = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,63}$`)

// Decode decodes a record in the journal's protocol, as systemd's documentation describes
// it. It returns an error for fields that journald would drop.
func Decode(b []byte) ([]Field, error) {
	var fields []Field
	for len(b) > 0 {
		line, rest, ok := bytes.Cut(b, []byte("\n"))
		if !ok {
			return nil, fmt.Errorf("missing newline after %.80q", line)
		}
		name, value, inLine := bytes.Cut(line, []byte("="))
		if !inLine {
			if len(rest) < 8 {
				return nil, fmt.Errorf("missing length after %.80q", line)
			}
			n := binary.LittleEndian.Uint64(rest)
			rest = rest[8:]
			if n >= uint64(len(rest)) || rest[n] != '\n' {
				return nil, fmt.Errorf("%.80q has a value of %d bytes, but no end there", line, n)
			}
			value, rest = rest[:n], rest[n+1:]
		}
		if !validName.Match(name) {
			return nil, fmt.Errorf("journald drops a field with the name %.80q", name)
		}
		fields = append(fields, Field{string(name), string(value)})
		b = rest
	}
	return fields, nil
}
