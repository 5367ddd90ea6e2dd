package crash

import (
	"bytes"
	"runtime"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Run is a run of a program, as the header of its file has it.
type Run struct {
	Program, Version string
	Started          time.Time

	PID int    // set by Open
	Go  string // what it was built with, and for; set by Open

	boot string // the boot of the machine, "" where it has no name
}

const (
	magic   = "glidepath crash 1"
	maxHead = 4 << 10
)

// header ends with an empty line.
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
		b.WriteString(l.key + ": " + word(l.value) + "\n")
	}
	b.WriteByte('\n')
	return b.Bytes()
}

// word is s in one line, and not long: the header is not to grow beyond what is read of
// it.
func word(s string) string {
	s = plain(s)
	return strings.ToValidUTF8(s[:min(len(s), 256)], "")
}

// plain is s without what moves the cursor of a terminal, or does worse to it: whoever
// looks at a crash may have more rights than who has made the file of it.
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

// parse takes a file apart. What has no header, which may have been cut by a power
// failure, is all text; what has but a part of one is no text.
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
		value = word(value)
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
