//go:build linux

package testbed

import (
	"context"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestOtherInits(t *testing.T) {
	Require(t)
	for _, test := range []struct {
		name string
		boot func(ctx context.Context, binds ...string) (*Machine, error)
		ask  string
		want string
	}{
		{"OpenRC", BootOpenRC, "openrc --version; rc-status --runlevel", "openrc (OpenRC [SYSTEMD-NSPAWN]) 0.56\ndefault\n"},
		{"SysV", BootSysV, "runlevel; readlink /proc/1/exe; command -v insserv", "N 2\n/usr/sbin/init\n/usr/sbin/insserv\n"},
		{"rcS", BootRCS, "readlink /proc/1/exe; readlink /proc/$$/exe; which service ls", "/usr/bin/busybox\n/usr/bin/busybox\n/usr/local/bin/ls\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			begin := time.Now()
			m, err := test.boot(ctx)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("booted in %v", time.Since(begin))
			if out, err := m.Run(ctx, "sh", "-c", test.ask); err != nil || out.Stdout != test.want {
				t.Errorf("it says %q, %v; want %q", out.Stdout, err, test.want)
			}
			begin = time.Now()
			if err := m.Close(); err != nil {
				t.Error(err)
			}
			t.Logf("closed in %v", time.Since(begin))
			if _, err := m.Run(ctx, "true"); err == nil || !strings.Contains(err.Error(), "down") {
				t.Errorf("it still runs commands: %v", err)
			}
		})
	}
}
