package logtext

import "os"

// Look reports whether f is a terminal that somebody can look at, and whether it may be
// in colour there: not if NO_COLOR is set, nor on a terminal that cannot.
func Look(f *os.File, getenv func(string) string) (terminal, colour bool) {
	terminal = isTerminal(f)
	return terminal, terminal && getenv("NO_COLOR") == "" && capable(getenv("TERM"))
}
