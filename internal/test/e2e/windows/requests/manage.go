// Package requests is what the tests and the installer, which runs on Windows, say to one
// another: one net/rpc service, Installer, over the installer's standard input and
// output.
package requests

import (
	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// Request is a call of a method of service.Manager.
type Request struct {
	Verb  string // "plan", "apply" (of a new plan), "remove", "start", …
	Spec  manage.Spec
	Force bool
	Purge bool
	Lines int // of the log
}

// Answer is what it has come to.
type Answer struct {
	Plan     manage.Plan // without what is the manager's own
	Status   service.Status
	Removed  []string
	Findings []manage.Finding
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
