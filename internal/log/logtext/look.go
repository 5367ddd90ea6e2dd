package logtext

import "os"

// Look reports whether f is a terminal that a person can look at, and whether to use
// colours: not if NO_COLOR is set, nor on a terminal without colours.
func Look(f *os.File, getenv func(string) string) (terminal, colour bool) {
	terminal = isTerminal(f)
	return terminal, terminal && getenv("NO_COLOR") == "" && capable(getenv("TERM"))
}
