// Package winsvc installs and controls services of Windows.
//
// It talks to the service control manager itself: package mgr of x/sys asks for all
// rights to do anything, and drops checkpoints and wait hints.
//
// What an installation consists of: the service in the manager's database, with
// values Environment and Parameters\Glidepath in its key of the registry, where the
// latter says that it is ours; a source in the Application log; and folders below
// %ProgramData% that are the service's alone.
// What an installation has made and changed outside of the service is recorded in
// HKLM\SOFTWARE\Glidepath.NAME until it is removed or given back.
package winsvc

import (
	"fmt"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/system/safe"
)

// Manager is the service control manager of this machine.
type Manager struct {
	api     api
	machine service.Machine
	safe    func(file string, user bool) error
}

var _ service.Manager = (*Manager)(nil)

// New returns the manager of m. Elsewhere than on Windows each of its methods fails
// with service.ErrNotSupported. Of m, only Progress counts.
func New(m service.Machine) *Manager {
	return &Manager{api: system(), machine: m, safe: safe.Executable}
}

// Name is "Windows".
func (m *Manager) Name() string { return "Windows" }

// longest is how long a name and a display name may be (CreateService).
const longest = 256

// device reports whether a folder of this name would be a device of DOS. What follows a
// dot does not count.
func device(name string) bool {
	name, _, _ = strings.Cut(strings.ToUpper(name), ".")
	switch name {
	case "CON", "PRN", "AUX", "NUL":
		return true
	}
	return len(name) == 4 && (name[:3] == "COM" || name[:3] == "LPT") && '1' <= name[3] && name[3] <= '9'
}

// refuse is what this manager cannot.
func refuse(s service.Spec) error {
	name := s.ServiceName()
	switch {
	case s.User:
		return fmt.Errorf("service %s of a user: %w: Windows has services of the machine only; install it as one, or have the Task Scheduler run it when the user logs on",
			name, service.ErrNotSupported)
	case s.Template && s.Instance == "":
		return fmt.Errorf("service %s: %w: Windows has no templates; name an instance, each of which is a service of its own", name, service.ErrNotSupported)
	case strings.ContainsAny(name, `/\'"<>:|?*`) || strings.HasSuffix(name, "."):
		// As a folder it would be another, as a query of the event log another query.
		return fmt.Errorf("%w: the service is called %s: Windows wants no / \\ ' \" < > : | ? * in it, and no dot at its end", service.ErrSpec, name)
	case device(name):
		return fmt.Errorf("%w: the service is called %s, which is a device of Windows: no folder can have the name", service.ErrSpec, name)
	case len(name) > longest:
		return fmt.Errorf("%w: the service is called %s, which has %d letters: Windows allows %d", service.ErrSpec, name, len(name), longest)
	}
	return nil
}
