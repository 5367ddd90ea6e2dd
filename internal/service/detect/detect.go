// Package detect finds the service manager of this machine.
//
// A file for each system ensures that a binary contains only the managers of its own.
package detect

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// Options selects the manager.
type Options struct {
	User     bool              // the manager of the user's own services
	Progress func(what string) // is told what the manager waits for; may be nil
	Notice   func(text string) // is told what the operator should know; may be nil
	Name     string            // of the service, for errors that say what to do without a manager
	Command  string            // of the service, for the same errors
	More     []service.Manager
}

// Extra is a manager that only programs which ask for it contain: a service.Manager.
type Extra struct {
	Name string
	New  func(manage.Machine) manage.Manager
}

// ManagerName implements service.Manager.
func (e Extra) ManagerName() string { return e.Name }

// Upstart is the name of the only one.
const Upstart = "Upstart"

// Find returns the manager of this machine. It looks at files and needs no rights. It returns
// an error that wraps service.ErrNotSupported and says what to do instead if no manager runs,
// as in most containers, if the manager is not known, or if it has no services of users and
// one is asked for.
func Find(o Options) (manage.Manager, error) {
	more, err := extras(o.More)
	if err != nil {
		return nil, err
	}
	m, err := find(manage.Machine{Progress: o.Progress, Notice: o.Notice}, o.User, more)
	if err != nil {
		return nil, fillIn(err, o)
	}
	return m, nil
}

// extras returns managers as Extra values. It refuses those of other modules.
func extras(managers []service.Manager) (more []Extra, err error) {
	for _, m := range managers {
		e, ok := m.(Extra)
		if !ok {
			return nil, fmt.Errorf("%w: Service.Managers has %T: want what a package of this module returns, such as daemon/upstart", manage.ErrConfig, m)
		}
		more = append(more, e)
	}
	return more, nil
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
