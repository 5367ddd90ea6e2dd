//go:build unix && !linux

package files

// flagged returns "": here access(2) tells of such files.
func flagged(string) string { return "" }

func unfreeze(string) string { return "chflags noschg,nouchg" }
