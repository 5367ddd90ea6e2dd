package systemd

import (
	"fmt"
	"path"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service"
)

// serviceSubfolder is the folder inside /run/NAME that the service gets where the sockets have the
// rest.
const serviceSubfolder = "service"

// runtimeFolder returns what systemd is told to make below /run for the service name, which
// is NAME, or NAME/INSTANCE of a template.
//
// systemd removes that folder, and every file in it, each time the service stops. It does
// not look for sockets there that it goes on listening at: after the first restart nobody
// could connect any more. RuntimeDirectoryPreserve=yes would keep them, but a folder that
// outlives its dynamic user is in /run/private, where only root can connect. So the folder
// moves down where a socket would be in it, and /run/NAME is the sockets'.
func runtimeFolder(s service.Spec, name string) string {
	for _, k := range s.Sockets {
		if k.Network == "unix" && folderHolds(s, k.Address) {
			return name + "/" + serviceSubfolder
		}
	}
	return name
}

// folderHolds reports whether the service's folder would be above address.
func folderHolds(s service.Spec, address string) bool {
	rest, ok := belowRun(s, address)
	return ok && (!s.Template || strings.Contains(rest, "/")) // a template has folders below that of its name
}

// belowRun returns what follows /run/NAME/ in address.
func belowRun(s service.Spec, address string) (rest string, ok bool) {
	address = strings.TrimPrefix(address, "/var") // /var/run is a link
	if s.User {
		if address, ok = strings.CutPrefix(address, "/run/user/"); !ok {
			return "", false
		}
		_, address, _ = strings.Cut(address, "/")
		return strings.CutPrefix(address, s.Name+"/")
	}
	return strings.CutPrefix(address, "/run/"+s.Name+"/")
}

// checkRuntime refuses a socket in the folder that the service gets inside of /run/NAME.
func checkRuntime(s service.Spec) error {
	for _, k := range s.Sockets {
		rest, ok := belowRun(s, k.Address)
		if s.Template {
			_, rest, _ = strings.Cut(rest, "/")
		}
		if k.Network == "unix" && ok && (rest == serviceSubfolder || strings.HasPrefix(rest, serviceSubfolder+"/")) {
			above, _, _ := strings.Cut(k.Address, "/"+serviceSubfolder)
			return fmt.Errorf("%w: Sockets.%s is %q: systemd removes %s/%s each time the service stops; want a path outside of it, such as %s/%s",
				service.ErrSpec, k.Name, k.Address, above, serviceSubfolder, above, path.Base(k.Address))
		}
	}
	return nil
}
