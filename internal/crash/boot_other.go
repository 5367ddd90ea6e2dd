//go:build !linux && !darwin

package crash

// bootID names the boot of the machine, where that has a name.
func bootID() string { return "" }
