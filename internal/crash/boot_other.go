//go:build !linux && !darwin

package crash

// bootID returns "": boots have no ID here.
func bootID() string { return "" }
