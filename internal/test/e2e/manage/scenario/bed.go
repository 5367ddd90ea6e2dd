//go:build linux

package scenario

import (
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/test/e2e/manage/talk"
	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

// Bed is a machine with a service manager. Its methods may be called from any goroutine.
type Bed interface {
	// Manager is what the command line calls the manager.
	Manager() string

	// Can says what there is here.
	Can() Can

	// Flags are what every command needs here.
	Flags() []string

	// Put puts the program echo into a folder of the machine, which it makes, and
	// returns its path there. The folder goes when the test ends.
	Put(t testing.TB, folder string) (exe string)

	// Exec runs a program of the machine with variables beside the usual ones, as the
	// one who administers the machine, or as somebody without rights.
	Exec(t testing.TB, who Who, env []string, exe string, args ...string) testbed.Output

	// Says is what the manager itself says of a service.
	Says(t testing.TB, name string) Said

	// State is where on this host the service keeps its state.
	State(name string) string

	// Environment is what the service has found in its environment.
	Environment(t testing.TB, name string, g talk.Given) map[string]string

	// Alive reports whether there is such a process in the machine.
	Alive(t testing.TB, pid int) bool

	// Traces is all that there is of a service in the machine but its process.
	Traces(t testing.TB, name string) Traces

	// Shown are the lines that a dry run must have shown, once the service is there.
	Shown(t testing.TB, name string) []string

	// Keeps reports whether uninstall leaves that trace, as long as nothing is purged.
	Keeps(trace string) bool

	// Foreign makes a service of somebody else of that name.
	Foreign(t testing.TB, name, exe string)

	// Forget removes a service from the machine, whatever is left of it, and says in
	// the test's log what the manager has logged of it if the test has failed.
	Forget(t testing.TB, name string)

	// Old is the path of a program of kardianos/service in the machine, see
	// internal/test/interop/oldservice.
	Old() string

	// Tight are the folders that installations write into: each gets full, and is made
	// read-only.
	Tight() []string

	// Limit puts a file system in memory over a folder, with a copy of what is in it and
	// room for so many more pages and files. -1 makes it read-only.
	Limit(t testing.TB, folder string, pages, files int) (lift func())
}

// Can is what there is on a machine.
type Can struct {
	Insist       bool     // install needs --force: no place is safe there
	Whole        bool     // services are of the whole machine, not of a user
	Unprivileged bool     // there are users without rights
	Ready        bool     // the manager hears when a program is ready; elsewhere one that lives for a moment has started
	Failures     bool     // the manager tells a service that has failed from one that was stopped
	Codes        bool     // and with which code
	Logs         bool     // what the service has logged can be read back
	Forgets      bool     // who may use a folder: it is set again by each install
	Notices      bool     // the manager notices when a process ends by itself
	Restarts     bool     // the manager restarts what has crashed
	Older        bool     // programs of kardianos/service run
	Sysconfig    bool     // services of kardianos/service read variables from /etc/sysconfig/NAME
	Sockets      bool     // the manager opens them, and they are files of their own
	Environment  bool     // a service finds its environment
	Directory    bool     // a service can have a working directory
	Pause        bool     // it can pause services
	Kills        int      // how many commands are killed there
	Folder       string   // one with a name that few expect
	Open         string   // one that everybody can write to
	System       []string // who the service is that has all rights
}

// Who runs a program.
type Who int

// They do.
const (
	Admin Who = iota
	Somebody
)

// Said is what a manager says of a service.
type Said struct {
	Installed bool
	Automatic bool // it starts with the machine
	Running   bool
	Failed    bool
	PID       int
}

// Traces are files, links, folders and what else makes a service, by name.
type Traces map[string]Trace

// Trace is one of them.
type Trace struct {
	Mode     string
	Text     string // or where a link leads
	Link     bool
	Modified time.Time
}
