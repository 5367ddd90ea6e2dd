// Package interop tries this library with others: what we say to systemd beside what
// coreos/go-systemd says, the service's commands in a program of cobra's, and the log of
// kardianos/service. It is a module of its own, so that of the first two neither enters
// the library's go.mod.
package interop
