// Package detect knows which service manager runs this machine.
//
// Each binary has only the managers of its own system in it: there is a file for each.
package detect

import (
	"cmp"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service"
)

// Options say which manager is wanted.
type Options struct {
	User     bool              // that of the user's own services
	Progress func(what string) // hears what the manager waits for; may be nil
	Notice   func(text string) // is told what the operator should know; may be nil
	Name     string            // of the service, for an error that says what to do without a manager
	Command  string            // and what it runs
	More     []Extra
}

// Extra is a manager that is only in the programs that ask for it.
type Extra struct {
	Name string
	New  func(service.Machine) service.Manager
}

// Upstart is the name of the one that there is.
const Upstart = "Upstart"

// Find returns the manager of this machine. It looks at files, as far as they tell, and
// needs no rights. Where no manager runs, as in most containers, or one that is not
// known, or one without services of users where these are asked for, the error wraps
// service.ErrNotSupported and says what to do instead.
func Find(o Options) (service.Manager, error) {
	m, err := find(service.Machine{Progress: o.Progress, Notice: o.Notice}, o.User, o.More)
	if err != nil {
		return nil, fillIn(err, o)
	}
	return m, nil
}

// filledError is an error with the words NAME and COMMAND replaced.
type filledError struct {
	error
	text string
}

func (t filledError) Error() string { return t.text }
func (t filledError) Unwrap() error { return t.error }

func fillIn(err error, o Options) error {
	return filledError{err, strings.NewReplacer("NAME", cmp.Or(o.Name, "NAME"), "COMMAND", cmp.Or(o.Command, "COMMAND")).Replace(err.Error())}
}
