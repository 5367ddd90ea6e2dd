package detect

import (
	"fmt"
	"os"
	"strings"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/script"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
	"github.com/go-glidepath/glidepath/internal/service/systemd"
)

// managerKind is a manager of Linux.
type managerKind string

const (
	onSystemd managerKind = "systemd"
	onOpenRC  managerKind = "OpenRC"
	onProcd   managerKind = "procd"
	onUpstart managerKind = Upstart
	onRCS     managerKind = "rcS"
	onSysV    managerKind = "SysV init"
)

func find(m manage.Machine, user bool, more []Extra) (manage.Manager, error) {
	k, err := detectKind(m.Tree)
	if err != nil {
		return nil, err
	}
	switch k {
	case onSystemd:
		return systemd.New(m, user), nil
	case onOpenRC:
		return machineOnly(script.NewOpenRC(m), user)
	case onProcd:
		return machineOnly(script.NewProcd(m), user)
	case onRCS:
		return machineOnly(script.NewRCS(m), user)
	case onSysV:
		return machineOnly(script.NewSysV(m), user)
	}
	for _, x := range more {
		if x.Name == Upstart {
			return machineOnly(x.New(m), user)
		}
	}
	return nil, fmt.Errorf("%w: this machine is run by Upstart, which the program does not know: it has to be built with the package daemon/upstart, in Config.Service.Managers", service.ErrNotSupported)
}

// detectKind looks for what the managers leave in the file system while they run. If it finds
// nothing, it looks for the older inits.
func detectKind(tree files.Tree) (managerKind, error) {
	switch {
	case tree.Exists("/run/systemd/system"): // sd_booted(3)
		return onSystemd, nil
	case tree.Exists("/run/openrc"):
		return onOpenRC, nil
	case tree.Exists("/sbin/procd") && (tree.Exists("/etc/openwrt_release") || tree.Exists("/bin/ubus")):
		return onProcd, nil
	}
	if u, ok := findForeignInit(tree, firstProcess(tree)); ok {
		return "", fmt.Errorf("%w: this machine is run by %s, which is not a supported service manager; to run it there, %s", service.ErrNotSupported, u.name, u.remedy)
	}
	if err := booted(tree); err != nil {
		return "", err
	}
	switch {
	case tree.Exists("/sbin/upstart-udev-bridge"), tree.Exists("/sbin/initctl") && tree.Exists("/etc/init/rc.conf"):
		return onUpstart, nil
	case busybox(tree):
		return onRCS, nil
	case tree.Exists("/etc/init.d"):
		return onSysV, nil
	}
	return "", noManager("process 1 is an init, but there is no /etc/init.d")
}

// busybox reports whether busybox's init runs /etc/init.d/rcS, and nothing else on this
// machine knows runlevels.
func busybox(tree files.Tree) bool {
	if !tree.Exists("/etc/init.d/rcS") || tree.Exists("/usr/sbin/service") || tree.Exists("/sbin/service") {
		return false
	}
	inittab, err := os.ReadFile(tree.Path("/etc/inittab"))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(inittab)) {
		// ID:RUNLEVELS:ACTION:COMMAND; busybox leaves the first two empty
		if command, ok := strings.CutPrefix(line, "::sysinit:"); ok && strings.Contains(command, "rcS") {
			return true
		}
	}
	return false
}

// booted returns an error unless an init has booted what this process sees. In a container
// process 1 is the program itself; in a chroot it has another root.
func booted(tree files.Tree) error {
	comm, err := os.ReadFile(tree.Path("/proc/1/comm"))
	if err != nil {
		return noManager("there is no /proc/1/comm that names the first process")
	}
	first := strings.TrimSpace(string(comm))
	if root, err := os.Stat(tree.Path("/proc/1/root")); err == nil { // only root may read it
		if own, err := os.Stat(tree.Path("/")); err == nil && !os.SameFile(root, own) {
			return noManager("this is a chroot: the machine's own init sees other files")
		}
	}
	if first != "init" {
		return noManager(fmt.Sprintf("process 1 is %q, not an init system; probably a container", first))
	}
	return nil
}

func noManager(why string) error {
	return fmt.Errorf("%w: %w (%s); run the program in the foreground, where its log goes to standard output", service.ErrNotSupported, manage.ErrNoManager, why)
}
