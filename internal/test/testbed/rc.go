//go:build linux

package testbed

import (
	"context"
	"fmt"
	"os"
)

// What the init of each of these systems does last.
const bootedFile = "/run/booted"

const (
	// Busybox has one that cannot do what Run needs.
	hiddenSetpriv = "/usr/lib/testbed/setpriv"

	// openrc and sysv-rc conflict, and debootstrap would choose the second.
	// Shellcheck is for the scripts that are made for these systems.
	installInit = `
mount -t proc proc /proc
export DEBIAN_FRONTEND=noninteractive
apt-get install -q -y --no-install-recommends -o Acquire::Retries=3 busybox-static `

	// The getties would be for a terminal that is not there.
	setupInit = `
apt-get clean
rm -rf /var/lib/apt/lists/* /etc/hostname
useradd --create-home --user-group --uid 1000 --shell /bin/sh tester
cat >/etc/inittab`

	setupOpenRC = installInit + `sysvinit-core openrc rsyslog` + setupInit + ` <<'END'
id:2:initdefault:
si::sysinit:/usr/sbin/openrc sysinit
rc::bootwait:/usr/sbin/openrc boot
l0:0:wait:/usr/sbin/openrc shutdown
l2:2:wait:/usr/sbin/openrc default
l6:6:wait:/usr/sbin/openrc reboot
up:2:once:/usr/bin/touch ` + bootedFile + `
END
`

	setupSysV = installInit + `sysvinit-core sysv-rc insserv startpar shellcheck inetutils-syslogd` + setupInit + ` <<'END'
id:2:initdefault:
si::sysinit:/etc/init.d/rcS
l0:0:wait:/etc/init.d/rc 0
l1:1:wait:/etc/init.d/rc 1
l2:2:wait:/etc/init.d/rc 2
l3:3:wait:/etc/init.d/rc 3
l4:4:wait:/etc/init.d/rc 4
l5:5:wait:/etc/init.d/rc 5
l6:6:wait:/etc/init.d/rc 6
up:2345:once:/usr/bin/touch ` + bootedFile + `
END
`

	// What busybox can do, busybox does. Debian's busybox has no adduser, so that
	// useradd stays; of the other tools that such a system lacks, nothing does.
	setupRCS = installInit + setupInit + ` <<'END'
::sysinit:/etc/init.d/rcS
::shutdown:/etc/init.d/rcK
END
mkdir -p /etc/rc.d /etc/init.d
cat >/etc/init.d/rcS <<'END'
#!/bin/sh
for i in /etc/rc.d/S??* /etc/init.d/S??*; do
	[ ! -x "$i" ] || "$i" start
done
touch ` + bootedFile + `
END
cat >/etc/init.d/rcK <<'END'
#!/bin/sh
for i in $(ls -r /etc/rc.d/S??* /etc/init.d/S??* 2>/dev/null); do
	[ ! -x "$i" ] || "$i" stop
done
END
chmod 755 /etc/init.d/rcS /etc/init.d/rcK
ln -sf ../bin/busybox /usr/sbin/init
ln -sf busybox /usr/bin/sh
rm /usr/sbin/service /usr/sbin/update-rc.d /usr/sbin/runuser /usr/sbin/start-stop-daemon
mkdir -p /usr/lib/testbed
mv /usr/bin/setpriv ` + hiddenSetpriv + `
busybox --install -s /usr/local/bin
`
)

// BootOpenRC is [Boot] with OpenRC 0.56, which sysvinit starts. It returns when the
// runlevel "default" has been reached. What asks systemd or Windows does not work on
// such a machine, and Close does not stop its services. There is an rsyslogd, which
// nobody has started.
func BootOpenRC(ctx context.Context, binds ...string) (*Machine, error) {
	return boot(ctx, withInit(setupOpenRC), binds)
}

// BootSysV is [BootOpenRC] with the init of System V, as Debian has it: insserv,
// startpar, update-rc.d, start-stop-daemon; runlevel 2; the syslogd of inetutils, which
// runs.
func BootSysV(ctx context.Context, binds ...string) (*Machine, error) {
	return boot(ctx, withInit(setupSysV), binds)
}

// BootRCS is [BootOpenRC] with the init and the shell of busybox, and a script rcS
// that starts what is in /etc/rc.d and /etc/init.d.
func BootRCS(ctx context.Context, binds ...string) (*Machine, error) {
	s := withInit(setupRCS)
	s.setpriv = hiddenSetpriv
	return boot(ctx, s, binds)
}

// withInit has no systemd: no bus, no user manager, nothing that powers off when
// systemd-nspawn asks for it.
func withInit(setup string) system {
	return system{
		steps:   []step{{"set up the init of the built root, check that the archive can be reached", setup}},
		boot:    []string{"-b"},
		comm:    "init",
		setpriv: "setpriv",
		booted:  (*Machine).awaitFile,
	}
}

func (m *Machine) awaitFile(ctx context.Context) error {
	err := poll(ctx, func() (bool, error) {
		if err := m.checkAlive(); err != nil {
			return false, err
		}
		_, err := os.Stat(m.Path(bootedFile))
		return err == nil, nil
	})
	if err != nil {
		return fmt.Errorf("wait for the init to have started everything: %w", err)
	}
	return nil
}
