//go:build !linux

package systemd

func ownPidfd() (uint64, bool) { return 0, false }
