// Package interop tries this library with others: what we say to systemd beside what
// coreos/go-systemd says, the service's commands in programs of cobra and of urfave/cli, and
// the log of kardianos/service. It is a module of its own, so that none of the first three
// enters the library's go.mod.
package interop
