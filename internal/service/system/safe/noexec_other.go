//go:build unix && !linux

package safe

func noexec(string) bool { return false } // not known
