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
)

func recipe() string {
	sum := sha256.Sum256([]byte(strings.Join([]string{suite, packages, setup}, "\x00")))
	return hex.EncodeToString(sum[:8])
}
