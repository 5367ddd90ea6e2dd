package daemon

// suggest returns the command that word most likely stands for: the command of that name, or
// one whose name differs by one letter, or by two that are swapped. It returns "" if there is
// none.
func (c *commandLine) suggest(word string) string {
	for _, v := range c.verbs() {
		if v.name == word || len(word) >= 4 && isTypo(word, v.name) {
			return v.name
		}
	}
	return ""
}

// isTypo reports whether a and b differ by one letter that is added, missing or replaced, or
// by two neighbours that are swapped.
func isTypo(a, b string) bool {
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
