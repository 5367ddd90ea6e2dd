//go:build linux

package testbed

import (
	"context"
	"fmt"
	"os"
)

// bootedFile is the file that the init of each of these systems creates last.
const bootedFile = "/run/booted"

const (
	// The setpriv of busybox lacks options that Run needs.
	hiddenSetpriv = "/usr/lib/testbed/setpriv"

	// openrc and sysv-rc conflict, and debootstrap would choose the second. Shellcheck checks
	// the scripts that are generated for these systems.
	installInit = `
mount -t proc proc /proc
export DEBIAN_FRONTEND=noninteractive
apt-get install -q -y --no-install-recommends -o Acquire::Retries=3 busybox-static `

	// There are no getties, because there is no terminal.
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

	// Busybox provides every tool that it can. Debian's busybox has no adduser, so useradd
	// stays. Other tools that such a system lacks are removed.
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

// BootOpenRC works like [Boot] but boots OpenRC 0.56, which sysvinit starts. It returns when the
// runlevel "default" has been reached. Methods that need systemd or Windows do not work on such
// a machine, and Close does not stop its services. rsyslogd is installed but not started.
func BootOpenRC(ctx context.Context, binds ...string) (*Machine, error) {
	return boot(ctx, withInit(setupOpenRC), binds)
}

// BootSysV works like [BootOpenRC] but boots Debian's System V init, with insserv, startpar,
// update-rc.d and start-stop-daemon, in runlevel 2. The syslogd of inetutils runs.
func BootSysV(ctx context.Context, binds ...string) (*Machine, error) {
	return boot(ctx, withInit(setupSysV), binds)
}

// BootRCS works like [BootOpenRC] but boots the init of busybox, with its shell and a script rcS
// that runs the scripts in /etc/rc.d and /etc/init.d.
func BootRCS(ctx context.Context, binds ...string) (*Machine, error) {
	s := withInit(setupRCS)
	s.setpriv = hiddenSetpriv
	return boot(ctx, s, binds)
}

// withInit returns a system without systemd. It has no bus and no user manager, and does not
// power off when systemd-nspawn asks it to.
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
		return fmt.Errorf("wait until the init has started everything: %w", err)
	}
	return nil
}
