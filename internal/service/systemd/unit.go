package systemd

import (
	"fmt"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service"
)

// Unit is a unit file.
type Unit struct {
	Name string // without a folder
	Text string
}

// writer writes the text of a unit.
type writer struct {
	text strings.Builder
	err  error // the first
}

func newWriter(unit string) *writer {
	w := &writer{}
	w.line("# " + service.Mark)
	w.line("# What you want otherwise, put into a drop-in: systemctl edit " + unit)
	return w
}

func (w *writer) line(l string) { w.text.WriteString(l + "\n") }

func (w *writer) section(name string) { w.line("\n[" + name + "]") }

// set writes a directive. The value is escaped already.
func (w *writer) set(directive, format string, args ...any) {
	w.line(directive + "=" + fmt.Sprintf(format, args...))
}

// try writes a directive whose value may not have been possible.
func (w *writer) try(directive, value string, err error) {
	if w.err == nil {
		w.err = err
	}
	w.line(directive + "=" + value)
}
