package systemd

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// checkPairs checks settings that are valid alone and wrong together. They were tested on
// systemd 257, except those with (d), which follow from the documentation of systemd and the
// kernel. Spec.Check refuses the ones that do not depend on systemd; TestPairs has them all.
//
//	socket in /run/NAME        and a stop            systemd removes its file: see runtimeFolder
//	Localhost                  and sockets           the filter covers only the unit that opens them: theirs have it too (d)
//	sandbox                    and a device          its /dev has no devices: 226/NAMESPACE at each start. Refused
//	sandbox                    and a folder that it  systemd applies the stricter of two rules for one path: it stays
//	                           protects as a whole   read-only. Refused; paths below it can be writable
//	AF_PACKET                  and no CAP_NET_RAW    the family alone has no effect. A warning (d)
//	User= among the lines      and Account           DynamicUser=yes with an existing name uses that user. Refused (d)
//	a service of a user        and a port below 1024 its systemd cannot open it. Refused if the kernel says so
//	a delayed service          and one that needs it that is not delayed: a cycle; systemd starts only one. Refused
//	OpenFiles                  and sockets, stored   202/FDS at each start. Refused by Spec.Check
//	                           descriptors
//	two sockets                at one address        one is not opened, or never receives anything. Refused by Spec.Check
//	Localhost                  and another address   nobody could reach it. Refused by Spec.Check
//	DrainDelay                 and StopTimeout       no time is left for Stop. Refused by Config
//
// These were tested and work together: a socket in the state folder and a dynamic
// user; WritablePaths or WorkingDirectory in a folder of the service; WritablePaths below
// /home, /tmp, /etc; Recovery.Never and stored descriptors; StartDisabled and Sockets. By
// the documentation these also work: a job that finishes and a watchdog; ports below 1024 in
// Sockets and no capability; Capabilities and NoNewPrivileges, which keeps ambient ones.
func (r *renderer) checkPairs() error {
	for _, l := range r.Systemd.Service {
		if name, _, _ := strings.Cut(l, "="); name == "User" || name == "DynamicUser" {
			return fmt.Errorf("%w: Systemd.Service has %q: set Account instead", manage.ErrConfig, l)
		}
	}
	if slices.Contains(r.Hardening.AddressFamilies, "AF_PACKET") && !slices.Contains(r.capabilities(), "CAP_NET_RAW") && r.Hardening.Profile != service.Unconfined {
		r.warn("Hardening.AddressFamilies: AF_PACKET sockets also need CAP_NET_RAW in Capabilities")
	}
	if err := checkRuntime(r.Spec); err != nil || r.User || r.Hardening.Profile == service.Unconfined && !r.dynamic() {
		return err
	}
	for _, p := range r.Hardening.WritablePaths {
		if slices.Contains(protectedFolders, p) {
			return fmt.Errorf("%w: Hardening.WritablePaths has %s, which the sandbox keeps read-only as a whole: name the paths below it that the service writes to", manage.ErrConfig, p)
		}
		if path.Dir(p) != p && below(p, []string{"/dev"}) && !below(p, commonDevices) && r.hasOwnDev() {
			return fmt.Errorf("%w: Hardening.WritablePaths has %s, but the sandbox has a /dev without devices, and the service would not start: add PrivateDevices=no and DeviceAllow=%s to Systemd.Service, or use another Hardening.Profile", manage.ErrConfig, p, p)
		}
	}
	return nil
}

// protectedFolders are the folders for which the sandbox has its own rule.
var protectedFolders = []string{"/", "/dev", "/home", "/proc", "/proc/sys", "/root", "/run/user", "/sys", "/sys/fs/cgroup"}

// commonDevices exist in every /dev.
var commonDevices = []string{
	"/dev/full", "/dev/hugepages", "/dev/log", "/dev/mqueue", "/dev/null", "/dev/ptmx", "/dev/pts",
	"/dev/random", "/dev/shm", "/dev/tty", "/dev/urandom", "/dev/zero",
}

// hasOwnDev reports whether the service has its own /dev.
func (r *renderer) hasOwnDev() bool {
	if r.Hardening.Profile == service.Unconfined {
		return false
	}
	for _, c := range r.capabilities() {
		if slices.Contains(reliefs()[c].off, "PrivateDevices") {
			return false
		}
	}
	return !slices.ContainsFunc(r.Systemd.Service, func(l string) bool {
		return slices.Contains([]string{"PrivateDevices=no", "PrivateDevices=false", "PrivateDevices=0", "PrivateDevices=off"}, l)
	})
}

// checkLowPorts returns an error if a user's service has sockets with ports that it cannot
// open.
func (m *Manager) checkLowPorts(s manage.Spec) error {
	if !m.user {
		return nil
	}
	text, _, _ := m.machine.Tree.Read("/proc/sys/net/ipv4/ip_unprivileged_port_start")
	least, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		least = 1024
	}
	for _, k := range s.Sockets {
		port, err := strconv.Atoi(k.Address[strings.LastIndexByte(k.Address, ':')+1:])
		if k.Network != "unix" && err == nil && port < least {
			return fmt.Errorf("%w: Sockets.%s is %s: a user's systemd cannot open ports below %d (sysctl net.ipv4.ip_unprivileged_port_start)", manage.ErrConfig, k.Name, k.Address, least)
		}
	}
	return nil
}

// checkOrder returns an error if the service needs a delayed service and is not delayed
// itself, or the reverse: one would then be part of the target that the other waits for.
func (m *Manager) checkOrder(ctx context.Context, s manage.Spec) error {
	if bareTemplate(s) {
		return nil
	}
	target := (&renderer{Spec: s}).bootTarget()
	switch s.StartType {
	case service.Automatic:
		for _, n := range s.Dependencies {
			if n == "network" {
				continue
			}
			n = strings.TrimSuffix(n, ".service")
			other, err := m.listProperties(ctx, n+".service", "After")
			if err != nil {
				return err
			}
			if slices.Contains(other["After"], target) {
				return fmt.Errorf("%w: Dependencies has %s, which starts after %s (delayed), but this service starts before it: systemd would leave out one of them; make this one delayed as well (StartType)", manage.ErrConfig, n, target)
			}
		}
	case service.Delayed:
		own, err := m.listProperties(ctx, unitName(s), "RequiredBy")
		if err != nil {
			return err
		}
		for _, n := range own["RequiredBy"] {
			other, err := m.listProperties(ctx, n, "After", "WantedBy")
			if err != nil {
				return err
			}
			if slices.Contains(other["WantedBy"], target) && !slices.Contains(other["After"], target) {
				return fmt.Errorf("%w: StartType is delayed, which is after %s, but %s needs this service and starts before it: systemd would leave out one of them; make that one delayed first", manage.ErrConfig, target, n)
			}
		}
	}
	return nil
}

// listProperties returns properties of a unit that are lists of units.
func (m *Manager) listProperties(ctx context.Context, unit string, names ...string) (map[string][]string, error) {
	u, err := m.showProperties(ctx, unit, names...)
	if err != nil {
		return nil, err
	}
	all := map[string][]string{}
	for name, value := range u {
		all[name] = strings.Fields(value)
	}
	return all, nil
}
