//go:build !unix && !windows

package safe

func executable(string, bool) error { return nil }
