package systemd

import (
	"fmt"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// Unit is a unit file.
type Unit struct {
	Name string // without a folder
	Text string
}

// writer builds the text of a unit.
type writer struct {
	text strings.Builder
	err  error // the first
}

func newWriter(unit string) *writer {
	w := &writer{}
	w.line("# " + manage.Mark)
	w.line("# What you want otherwise, put into a drop-in: systemctl edit " + unit)
	return w
}

// longestLine is the number of bytes that a line may have. systemd does not load a unit with
// a longer one.
const longestLine = 1<<20 - 1

func (w *writer) line(l string) {
	if len(l) > longestLine && w.err == nil {
		name, _, _ := strings.Cut(l, "=")
		w.err = fmt.Errorf("%w: %s= has %d bytes: systemd takes at most %d in a line", manage.ErrConfig, name, len(l), longestLine)
	}
	w.text.WriteString(l + "\n")
}

func (w *writer) section(name string) { w.line("\n[" + name + "]") }

// set writes a directive. The value must be escaped.
func (w *writer) set(directive, format string, args ...any) {
	w.line(directive + "=" + fmt.Sprintf(format, args...))
}

// setOrFail writes a directive, or records err if its value could not be made.
func (w *writer) setOrFail(directive, value string, err error) {
	if w.err == nil {
		w.err = err
	}
	w.line(directive + "=" + value)
}
