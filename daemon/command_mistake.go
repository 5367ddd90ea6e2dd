package daemon

// meant returns the command that somebody who typed word most likely wanted: the one with
// that name, or with a name that differs by one letter, or by two that are swapped. It
// returns "" if there is none.
func (c *commandLine) meant(word string) string {
	for _, v := range c.verbs() {
		if v.name == word || len(word) >= 4 && alike(word, v.name) {
			return v.name
		}
	}
	return ""
}

// alike reports whether one letter that is added, left out or replaced, or two neighbours
// that are swapped, make a of b.
func alike(a, b string) bool {
	if len(a) < len(b) {
		a, b = b, a
	}
	i := 0
	for i < len(b) && a[i] == b[i] {
		i++
	}
	switch len(a) - len(b) {
	case 0:
		return i == len(b) || a[i+1:] == b[i+1:] ||
			i+1 < len(b) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
	case 1:
		return a[i+1:] == b[i:]
	}
	return false
}
