// Package winsvc installs and controls Windows services.
//
// It calls the service control manager itself, because package mgr of x/sys asks for all rights
// whatever it does, and drops checkpoints and wait hints.
//
// An installation consists of:
//
//   - the service in the database of the manager. Its registry key has the value Environment, and
//     the value Parameters\Glidepath, which marks the service as ours,
//   - an event source of the Application log,
//   - folders in %ProgramData% that only the service and administrators can use.
//
// HKLM\SOFTWARE\Glidepath.NAME records what an installation has created and changed outside of
// the service, until that is removed or restored.
package winsvc

import (
	"fmt"
	"strings"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/safe"
)

// Manager is the service control manager of this machine.
type Manager struct {
	api     api
	machine manage.Machine
	safe    func(file string, user bool) error
}

var _ manage.Manager = (*Manager)(nil)

// New returns the service control manager. Of m, it uses only Progress. On systems other than
// Windows, its methods return service.ErrNotSupported.
func New(m manage.Machine) *Manager {
	return &Manager{api: system(), machine: m, safe: safe.Executable}
}

// Name returns "Windows".
func (m *Manager) Name() string { return "Windows" }

// longest is the maximum length of a name and of a display name (CreateService).
const longest = 256

// device reports whether a folder of this name would be a DOS device. Windows ignores what
// follows a dot.
func device(name string) bool {
	name, _, _ = strings.Cut(strings.ToUpper(name), ".")
	switch name {
	case "CON", "PRN", "AUX", "NUL":
		return true
	}
	return len(name) == 4 && (name[:3] == "COM" || name[:3] == "LPT") && '1' <= name[3] && name[3] <= '9'
}

// refuse returns an error for a service that this manager cannot manage.
func refuse(s manage.Spec) error {
	name := s.ServiceName()
	switch {
	case s.User:
		return fmt.Errorf("per-user service %s: %w: Windows has no per-user services; install it as a system service, or let Task Scheduler run the program when the user logs on",
			name, service.ErrNotSupported)
	case s.Template && s.Instance == "":
		return fmt.Errorf("service %s: %w: Windows has no templates; name an instance, which is installed as a service of its own", name, service.ErrNotSupported)
	case strings.ContainsAny(name, `/\'"<>:|?*`) || strings.HasSuffix(name, "."):
		// These would change the path of its folders or the query of its log.
		return fmt.Errorf("%w: the service is called %s: a name must not contain / \\ ' \" < > : | ? * or end with a dot", manage.ErrConfig, name)
	case device(name):
		return fmt.Errorf("%w: the service is called %s, which is a device name: Windows does not allow a folder of that name", manage.ErrConfig, name)
	case len(name) > longest:
		return fmt.Errorf("%w: the service is called %s, which has %d characters: Windows allows %d", manage.ErrConfig, name, len(name), longest)
	}
	return nil
}
