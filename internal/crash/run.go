package crash

import (
	"bytes"
	"runtime"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Run identifies a run of a program, as in the header of its file.
type Run struct {
	Program, Version string
	Started          time.Time

	PID int    // set by Open
	Go  string // Go version and platform; set by Open

	boot string // ID of the machine's boot, "" if it has none
}

const (
	magic   = "glidepath crash 1"
	maxHead = 4 << 10
)

// header returns the header of the file, which ends with an empty line.
func (r Run) header() []byte {
	var b bytes.Buffer
	b.WriteString(magic + "\n")
	for _, l := range []struct{ key, value string }{
		{"program", r.Program},
		{"version", r.Version},
		{"pid", strconv.Itoa(r.PID)},
		{"started", r.Started.UTC().Format(time.RFC3339Nano)},
		{"boot", r.boot},
		{"go", runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH},
	} {
		b.WriteString(l.key + ": " + headerValue(l.value) + "\n")
	}
	b.WriteByte('\n')
	return b.Bytes()
}

// headerValue returns s as one short line, so that the header stays within the bytes that parse
// reads.
func headerValue(s string) string {
	s = plain(s)
	return strings.ToValidUTF8(s[:min(len(s), 256)], "")
}

// plain replaces the characters in s that could control a terminal: the user who looks at a
// crash may have more rights than the one who made the file.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t', r == '\n', r == '\r':
			return ' '
		case !strconv.IsGraphic(r):
			return utf8.RuneError
		}
		return r
	}, s)
}

// parse splits a file into its header and its text. A file without a header, which a power
// failure may have cut off, is all text. A file with an incomplete header has no text.
func parse(b []byte) (r Run, text []byte) {
	rest, ok := bytes.CutPrefix(b, []byte(magic+"\n"))
	if !ok {
		if len(b) <= len(magic) && strings.HasPrefix(magic, string(b)) {
			return Run{}, nil
		}
		return Run{}, b
	}
	head, text, _ := bytes.Cut(rest, []byte("\n\n"))
	for line := range bytes.Lines(head) {
		key, value, _ := strings.Cut(strings.TrimSuffix(string(line), "\n"), ": ")
		value = headerValue(value)
		switch key {
		case "program":
			r.Program = value
		case "version":
			r.Version = value
		case "pid":
			r.PID, _ = strconv.Atoi(value)
		case "started":
			r.Started, _ = time.Parse(time.RFC3339Nano, value)
		case "boot":
			r.boot = value
		case "go":
			r.Go = value
		}
	}
	return r, text
}
