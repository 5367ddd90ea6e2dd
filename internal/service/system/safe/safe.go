// Package safe finds out who can replace an executable: who can would run as the
// service.
package safe

// Executable returns an error that wraps service.ErrUnsafe if others than the
// administrators of the machine (or, for a service of a user, than that user) can
// replace file, by writing to it or to a folder above it. It follows links, as the
// manager does.
func Executable(file string, user bool) error { return executable(file, user) }

// Barred says why nobody can execute file, and what to do about it; "" if nothing speaks
// against it.
func Barred(file string) (why, remedy string) { return barred(file) }
