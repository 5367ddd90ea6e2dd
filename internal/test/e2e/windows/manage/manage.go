// Package manage is what the tests and the installer, which runs on Windows, say to one
// another: one net/rpc service, Installer, over the installer's standard input and
// output.
package manage

import "github.com/go-glidepath/glidepath/internal/service"

// Request is a call of a method of service.Manager.
type Request struct {
	Verb  string // "plan", "apply" (of a new plan), "remove", "start", …
	Spec  service.Spec
	Force bool
	Purge bool
	Lines int // of the log
}

// Answer is what it has come to.
type Answer struct {
	Plan     service.Plan // without what is the manager's own
	Status   service.Status
	Removed  []string
	Findings []service.Finding
	Text     string
	Progress []string
	Err      string   // "" for none
	Is       []string // the texts of the errors of package service that it is
}

// Run is what the installer, run as a service, says of how it was run.
type Run struct {
	Args []string
	Env  []string
}
