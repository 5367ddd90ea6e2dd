// Package interop compares what we say to systemd with what coreos/go-systemd says.
// It is a module of its own, so that the peer does not enter the library's go.mod.
package interop
