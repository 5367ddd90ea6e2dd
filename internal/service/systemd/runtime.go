package systemd

import (
	"fmt"
	"path"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// serviceSubfolder is the folder inside /run/NAME that belongs to the service if the rest
// belongs to its sockets.
const serviceSubfolder = "service"

// runtimeFolder returns the folder below /run that systemd is told to create for the service:
// name, or a folder in it. name is NAME, or NAME/INSTANCE for a template.
//
// systemd removes that folder with every file in it each time the service stops, including
// sockets that it still listens at. After the first restart nobody could connect any more.
// RuntimeDirectoryPreserve=yes would keep them, but a folder that outlives its dynamic user
// is in /run/private, where only root can connect. So if a socket would be in the folder, the
// folder moves down, and /run/NAME belongs to the sockets.
func runtimeFolder(s manage.Spec, name string) string {
	for _, k := range s.Sockets {
		if k.Network == "unix" && folderHolds(s, k.Address) {
			return name + "/" + serviceSubfolder
		}
	}
	return name
}

// folderHolds reports whether address would be below the service's folder.
func folderHolds(s manage.Spec, address string) bool {
	rest, ok := belowRun(s, address)
	return ok && (!s.Template || strings.Contains(rest, "/")) // the folders of a template are one level deeper
}

// belowRun returns the part of address that follows /run/NAME/.
func belowRun(s manage.Spec, address string) (rest string, ok bool) {
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

// checkRuntime refuses a socket in the folder that the service gets inside /run/NAME.
func checkRuntime(s manage.Spec) error {
	for _, k := range s.Sockets {
		rest, ok := belowRun(s, k.Address)
		if s.Template {
			_, rest, _ = strings.Cut(rest, "/")
		}
		if k.Network == "unix" && ok && (rest == serviceSubfolder || strings.HasPrefix(rest, serviceSubfolder+"/")) {
			above, _, _ := strings.Cut(k.Address, "/"+serviceSubfolder)
			return fmt.Errorf("%w: Sockets.%s is %q: systemd removes %s/%s each time the service stops; use a path outside of it, such as %s/%s",
				manage.ErrConfig, k.Name, k.Address, above, serviceSubfolder, above, path.Base(k.Address))
		}
	}
	return nil
}
