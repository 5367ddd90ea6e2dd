// Package script installs and operates services of the inits that read a file for each
// service: a script, or a manifest. [Manager] does what they have in common. A [Dialect] has
// what only one init knows; each is in a file of its own.
package script

import (
	"context"
	"io"
	"io/fs"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
)

// Dialect is what one init knows. Its methods may be called from any goroutine.
//
// Manager asks for a service only if it is installed, and for a change only if it has the
// rights. An ability that an init lacks is an interface below that it does not implement.
type Dialect interface {
	// Traits returns what is the same for all services.
	Traits() Traits

	// Layout returns where the parts of s are.
	Layout(s manage.Spec) Layout

	// Render returns the file of s, which runs as o, and warnings about what s asks for and
	// the init lacks.
	Render(ctx context.Context, s manage.Spec, o Owner) (text string, warnings []string, err error)

	// Command returns the command line that a file of Render starts, nil if text is another.
	Command(text string) []string

	// Replaced reports whether old is a file of kardianos/service, and warns about what it
	// has and s, which runs as account, has not.
	Replaced(old string, s manage.Spec, account string) (warnings []string, ok bool)

	// Registered returns the files that make the init start s, in addition to its own.
	Registered(s manage.Spec) []string

	// Plan adds to p what the init is told of the service, and returns what Register needs.
	// It calls stays once: with whether the service starts by itself now, to learn whether
	// that is to stay as it is.
	Plan(ctx context.Context, p *manage.Plan, stays func(now bool) bool) (todo any, err error)

	// Register tells the init of the service, whose file is there. What it does, c can undo.
	Register(ctx context.Context, c *files.Change, p *manage.Plan, todo any) error

	// Unregister removes the file of s and what Register has told the init. It returns what
	// it has removed.
	Unregister(ctx context.Context, c *files.Change, s manage.Spec) (removed []string, err error)

	// Start has the init start s, which is in the state now, and not running.
	Start(ctx context.Context, s manage.Spec, now service.Status) error

	// Stop returns when s has stopped.
	Stop(ctx context.Context, s manage.Spec, now service.Status) error

	// Reload has s, which runs, read its configuration again. text is its file.
	Reload(ctx context.Context, s manage.Spec, text string) error

	// Status returns the state of s, whose file is text.
	Status(ctx context.Context, s manage.Spec, text string) (service.Status, error)

	// Diagnose returns what keeps s from running, except for what Manager looks at itself.
	Diagnose(ctx context.Context, s manage.Spec, now service.Status) []manage.Finding
}

// Traits are what is the same for all services of an init.
type Traits struct {
	Name string // what people call it: "OpenRC"
	Sudo string // the commands that run another one as root: "sudo, doas"

	// Otherwise is what somebody who is not root can do instead of an installation, "" if
	// there is nothing.
	Otherwise string

	// MakeAccount is the command that makes an account, where install makes none.
	MakeAccount string

	// Syslog says that services log to the syslog of the machine.
	Syslog bool

	// User says that the services are those of the user who runs this process.
	User bool

	// Watches says that the init itself waits until a service that it starts runs.
	Watches bool
}

// Layout is where the parts of a service are.
type Layout struct {
	Name string // what the init calls it
	File string
	Mode fs.FileMode // of File
	Log  string      // what the service prints
	Logs []string    // logs that purge removes, and that are not in Dirs
	Dirs dirs.Dirs
	Home string // of an account that install makes

	// AtStart are folders that install does not make, because each start does.
	AtStart []string

	// Given are folders that each start gives to the account.
	Given []string
}

// The abilities that not every init has.
type (
	// accounter is implemented by a dialect whose services do not have accounts of their own, or
	// not everywhere. Account returns the one of a service that names none, and whether it is
	// its own, which install makes.
	accounter interface {
		Account(s manage.Spec) (name string, own bool)
	}

	// checker is implemented by a dialect that cannot install every service.
	checker interface{ Check(s manage.Spec) error }

	// keeper is implemented by a dialect that keeps a setting of the service that s replaces.
	keeper interface {
		Keep(s manage.Spec) manage.Spec
	}

	// former is implemented by a dialect whose services of kardianos/service have another
	// file than its own. Former adds to p that this one is removed.
	former interface {
		Former(p *manage.Plan, account string) error
	}

	// preparer is implemented by a dialect that has something to do before the file of a
	// service is written. give gives a file to the account of the service.
	preparer interface {
		Prepare(ctx context.Context, c *files.Change, p *manage.Plan, give func(file string) error, todo any) error
	}

	// writer is implemented by a dialect that has the file of a service written by a library,
	// which does not say what it writes. The text of Render describes that.
	writer interface {
		Write(ctx context.Context, c *files.Change, p *manage.Plan) error

		// Same reports whether old is what Write would write for s.
		Same(old string, s manage.Spec) bool
	}

	// sweeper is implemented by a dialect that has files of a service in several folders.
	sweeper interface {
		// Places returns a path in each of these folders.
		Places(s manage.Spec) []string

		// RemoveRemains removes what a removal of s that was killed has left.
		RemoveRemains(s manage.Spec)
	}

	// loader is implemented by an init that knows services whose file is gone.
	loader interface {
		Loaded(ctx context.Context, s manage.Spec) (bool, error)
	}

	// idler is implemented by an init that is to be told of a stop also when the service does
	// not run.
	idler interface {
		// Idle reports whether there is nothing to stop.
		Idle(now service.Status) bool
	}

	// logger is implemented by an init that keeps what a service logs, and by one that does not.
	logger interface {
		Logs(ctx context.Context, s manage.Spec, q manage.LogQuery, w io.Writer) error
	}

	// needed is implemented by an init that knows which services need another one.
	needed interface {
		Dependents(ctx context.Context, s manage.Spec) (manage.Dependents, error)
	}

	// restarter is implemented by an init with a restart of its own.
	restarter interface {
		Restart(ctx context.Context, s manage.Spec, now service.Status) error
	}
)
