package daemon

import (
	"io"
	"os"
	"unicode/utf8"

	"github.com/go-glidepath/glidepath/internal/log/logtext"
)

// terminalSafe returns w, or, if w is a terminal, a writer that escapes control characters:
// what a service logs must not control the terminal of root.
func terminalSafe(w io.Writer) io.Writer {
	if f, ok := w.(*os.File); ok && isTerminal(f) {
		return &escaper{w: w}
	}
	return w
}

// escaper escapes invisible characters, except newlines and tabs.
type escaper struct {
	w    io.Writer
	rest []byte // the beginning of a character that is incomplete so far
	buf  []byte
}

func (e *escaper) Write(b []byte) (int, error) {
	text := append(e.rest, b...)
	end := len(text)
	for i := max(0, end-utf8.UTFMax+1); i < end; i++ {
		if utf8.RuneStart(text[i]) && !utf8.FullRune(text[i:]) {
			end = i
			break
		}
	}
	e.buf = e.buf[:0]
	from := 0
	for i := range end {
		if c := text[i]; c == '\n' || c == '\t' {
			e.buf = append(logtext.AppendSafe(e.buf, text[from:i]), c)
			from = i + 1
		}
	}
	e.buf = logtext.AppendSafe(e.buf, text[from:end])
	e.rest = append([]byte(nil), text[end:]...)
	if _, err := e.w.Write(e.buf); err != nil {
		return 0, err
	}
	return len(b), nil
}
