// Package interop tries this library with others: what we say to systemd beside what
// coreos/go-systemd says, and the service's commands in a program of cobra's. It is a
// module of its own, so that none of them enters the library's go.mod.
package interop
