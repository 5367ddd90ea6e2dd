//go:build linux

package testbed

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

const (
	suite = "trixie"

	// dbus-user-session gives the user manager a bus. Without one, systemd-run --user --wait
	// and every bus client of the user fail.
	packages = "systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd,ca-certificates"

	// Remove the timers: persistent ones fire right after boot, in the middle of a test.
	// Remove the host name, so that nothing depends on the machine that built the root.
	setup = `
useradd --create-home --user-group --uid 1000 --shell /bin/sh tester
mkdir -p /etc/systemd/journald.conf.d
printf '[Journal]\nRateLimitIntervalSec=0\n' >/etc/systemd/journald.conf.d/testbed.conf
rm -f /etc/hostname /etc/systemd/system/timers.target.wants/*
ln -s /dev/null /etc/systemd/system/console-getty.service
apt-get clean
`

	// The overrides keep Wine from asking for its browser and its .NET in a window. The null
	// driver keeps it from looking for a screen. Wine writes the registry when the wineserver
	// ends, a while after wineboot. The folders with the wineserver's socket belong to this
	// one boot. Most of Windows is a copy of files in the packages, hence hardlink.
	setupWindows = `
mount -t proc proc /proc
export DEBIAN_FRONTEND=noninteractive
apt-get install -q -y --no-install-recommends -o Acquire::Retries=3 wine wine64
apt-get clean
rm -rf /var/lib/apt/lists/*
export HOME=/root WINEARCH=win64 WINEDEBUG=-all WINEPREFIX=` + windowsDir + `
export WINEDLLOVERRIDES='mscoree,mshtml,winemenubuilder.exe='
wineboot -i
wine reg add 'HKCU\Software\Wine\Drivers' /v Graphics /d null
wineserver -w
test -s $WINEPREFIX/system.reg
rm -rf $WINEPREFIX/wineserver /tmp/wine-*
hardlink -q -c /usr/lib/x86_64-linux-gnu/wine $WINEPREFIX
`
)

// system describes a root file system and how its init is booted.
type system struct {
	packages string // the packages that debootstrap adds to the minimum
	steps    []step
	boot     []string // the arguments of systemd-nspawn that say what to boot
	comm     string   // the process name of the init
	setpriv  string   // the path or name of that tool
	booted   func(m *Machine, ctx context.Context) error
	halts    bool // it powers off when systemd-nspawn gets SIGTERM
}

// step is a script that runs in the root while it is built.
type step struct{ what, script string }

// withSystemd returns the system that Boot boots.
func withSystemd() system {
	return system{
		packages: packages,
		steps: []step{
			{"set up the built root", setup},
			{"install Windows in the built root, check that the archive can be reached", setupWindows},
		},
		boot:    []string{"-b"},
		comm:    "systemd",
		setpriv: "setpriv",
		booted:  (*Machine).awaitSystemd,
		halts:   true,
	}
}

// recipe returns the name of the root in the cache. A root that is made differently has
// another name.
func (s system) recipe() string {
	parts := []string{suite, s.packages}
	for _, step := range s.steps {
		parts = append(parts, step.script)
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:8])
}
