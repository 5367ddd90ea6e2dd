package script

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// Lacks returns warnings about what s asks for and manager does not have. has are the fields
// that need no warning.
func Lacks(manager string, s manage.Spec, has ...string) []string {
	var lines []string
	lack := func(asked bool, field, format string, args ...any) {
		if asked && !slices.Contains(has, field) {
			lines = append(lines, field+": "+fmt.Sprintf(format, args...))
		}
	}
	h, r, l := s.Hardening, s.Recovery, s.Limits
	lack(s.StartType == service.Delayed, "StartType", "%s has no delayed start; it starts with the others", manager)
	lack(s.StartType == service.Disabled, "StartType", "%s can start it all the same when somebody asks for it", manager)
	if s.StartType == service.OnSocket {
		lines = append(lines, "StartType: "+manager+" starts nothing for a connection; it starts with the machine")
	}
	lack(len(s.Sockets) > 0, "Sockets", "%s hands over none; the program opens them itself", manager)
	lack(len(s.Dependencies) > 0, "Dependencies", "%s starts services in no order; the program has to wait for %s itself", manager, strings.Join(s.Dependencies, ", "))
	if len(r.Delays) > 1 {
		lack(!r.Never, "Recovery.Delays", "%s has one delay, and no reset; it is the first, %s", manager, r.Delays[0])
	}
	lack(!r.Never && r.CrashOnly, "Recovery.CrashOnly", "%s cannot tell; it is restarted after an exit code, too", manager)
	lack(!r.Never, "Recovery", "%s looks at no exit code; it is restarted also after 78 (wrong configuration) and after it has ended by itself with 0", manager)
	lack(s.EnvironmentFile != "", "EnvironmentFile", "%s reads none; the program does when it runs, and its account needs the right to read it", manager)
	lack(s.Watchdog > 0, "Watchdog", "%s has none", manager)
	lack(s.FileDescriptorStore > 0, "FileDescriptorStore", "%s has none", manager)
	lack(h.Profile != service.Unconfined, "Hardening.Profile", "%s has no sandbox; what it has is an account, a umask and the folders", manager)
	lack(h.Profile == service.LowPorts && !s.Root(), "Hardening.Profile LowPorts", "%s cannot give the right to ports below 1024 to an account alone", manager)
	caps := slices.DeleteFunc(slices.Clone(h.Capabilities), func(c string) bool { return !strings.HasPrefix(c, "CAP_") })
	lack(len(caps) > 0 && !s.Root(), "Hardening.Capabilities", "%s gives none; it runs without %s", manager, strings.Join(caps, ", "))
	lack(len(h.WritablePaths) > 0 && s.Account == "" && !s.User, "Hardening.WritablePaths", "%s gives the account of the service no rights to %s; see that it has them", manager, strings.Join(h.WritablePaths, ", "))
	lack(l.OpenFiles > 0, "Limits.OpenFiles", "%s sets none", manager)
	lack(l.Tasks > 0, "Limits.Tasks", "%s counts the processes of the account, not those of the service; it sets none", manager)
	lack(l.Memory > 0, "Limits.Memory", "%s sets none", manager)
	lack(l.CPU > 0, "Limits.CPU", "%s sets none", manager)
	lack(l.LogRecords > 0, "Limits.LogRecords", "%s has no journal", manager)
	return lines
}
