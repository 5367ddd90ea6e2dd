//go:build !unix && !windows

package lock

func take(string, bool, string) (func(), error) { return func() {}, nil }
