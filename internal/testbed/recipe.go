//go:build linux

package testbed

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

const (
	suite = "trixie"

	// dbus-user-session gives the user manager a bus, without which systemd-run
	// --user --wait and every bus client of the user fail.
	packages = "systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd,ca-certificates"

	// The timers go because persistent ones fire right after boot, in the middle
	// of a test. The host's name goes so that nothing depends on where the root
	// was built.
	setup = `
useradd --create-home --user-group --uid 1000 --shell /bin/sh tester
mkdir -p /etc/systemd/journald.conf.d
printf '[Journal]\nRateLimitIntervalSec=0\n' >/etc/systemd/journald.conf.d/testbed.conf
rm -f /etc/hostname /etc/systemd/system/timers.target.wants/*
ln -s /dev/null /etc/systemd/system/console-getty.service
apt-get clean
`

	// The overrides keep Wine from asking, in a window, for its browser and its
	// .NET; the null driver keeps it from looking for a screen. The registry is
	// written when the wineserver ends, a while after wineboot. What names its
	// socket is of this one boot. Most of Windows is a copy of what the packages
	// hold.
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

func recipe() string {
	sum := sha256.Sum256([]byte(strings.Join([]string{suite, packages, setup, setupWindows}, "\x00")))
	return hex.EncodeToString(sum[:8])
}
