package local

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/files"
	"github.com/go-glidepath/glidepath/internal/service/kardianos"
)

// tree is a machine that has files: paths, with what is in them after a colon. A path
// that ends with a slash is a folder.
func tree(t *testing.T, paths ...string) files.Tree {
	t.Helper()
	root := files.Tree(t.TempDir())
	for _, p := range paths {
		p, text, _ := strings.Cut(p, ":")
		file := root.Path(p)
		if strings.HasSuffix(p, "/") {
			if err := os.MkdirAll(file, 0o755); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestTheManagerIsFoundByItsFiles(t *testing.T) {
	for name, test := range map[string]struct {
		paths  []string
		detect string // what kardianos/service finds; it must not be asked if it is ""
		want   kind
	}{
		"systemd":                                {[]string{"/run/systemd/system/", "/etc/init.d/", "/proc/1/comm:systemd\n"}, "", onSystemd},
		"systemd in a container":                 {[]string{"/run/systemd/system/", "/.dockerenv", "/proc/1/comm:systemd\n"}, "", onSystemd},
		"systemd runs, OpenRC is installed":      {[]string{"/run/systemd/system/", "/sbin/openrc", "/sbin/procd"}, "", onSystemd},
		"OpenRC":                                 {[]string{"/run/openrc/softlevel:default", "/etc/init.d/", "/proc/1/comm:init\n"}, "", onOpenRC},
		"OpenRC runs, systemctl is installed":    {[]string{"/run/openrc/", "/usr/bin/systemctl"}, "", onOpenRC},
		"OpenWrt":                                {[]string{"/sbin/procd", "/etc/openwrt_release", "/proc/1/comm:procd\n"}, "", onProcd},
		"OpenWrt's managers on something else":   {[]string{"/sbin/procd", "/bin/ubus"}, "", onProcd},
		"a procd that is not the manager":        {[]string{"/sbin/procd", "/proc/1/comm:init\n", "/etc/init.d/"}, kardianos.SysV, onSysV},
		"Upstart":                                {[]string{"/proc/1/comm:init\n", "/etc/init.d/"}, kardianos.Upstart, onUpstart},
		"busybox":                                {[]string{"/proc/1/comm:init\n", "/etc/init.d/rcS"}, kardianos.RCS, onRCS},
		"SysV init":                              {[]string{"/proc/1/comm:init\n", "/etc/init.d/"}, kardianos.SysV, onSysV},
		"an init without its scripts":            {[]string{"/proc/1/comm:init\n"}, kardianos.SysV, ""},
		"systemd is installed, but does not run": {[]string{"/usr/bin/systemctl", "/etc/init.d/", "/proc/1/comm:sh\n"}, "", ""},
		"a container":                            {[]string{"/etc/init.d/", "/proc/1/comm:web\n"}, "", ""},
		"a container with a small init":          {[]string{"/etc/init.d/", "/proc/1/comm:docker-init\n"}, "", ""},
		"no /proc":                               {[]string{"/etc/init.d/"}, "", ""},
		"a chroot":                               {[]string{"/etc/init.d/", "/proc/1/comm:init\n", "/proc/1/root/"}, "", ""},
		"nothing":                                {nil, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := choose(tree(t, test.paths...), func() string {
				if test.detect == "" {
					t.Error("kardianos/service was asked")
				}
				return test.detect
			})
			if got != test.want || (err == nil) != (test.want != "") {
				t.Errorf("got %q, %v", got, err)
			}
			if err != nil && (!errors.Is(err, service.ErrNotSupported) || !strings.Contains(err.Error(), "in the foreground")) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestServicesOfUsersAreRefusedWhereTheManagerHasNone(t *testing.T) {
	for _, paths := range [][]string{{"/run/openrc/"}, {"/sbin/procd", "/etc/openwrt_release"}} {
		m := service.Machine{Tree: tree(t, paths...)}
		if _, err := find(m, true); !errors.Is(err, service.ErrNotSupported) || !strings.Contains(err.Error(), "--user") {
			t.Errorf("%q: %v", paths, err)
		}
	}
}

func TestEachKindHasItsManager(t *testing.T) {
	for want, paths := range map[string][]string{
		"systemd": {"/run/systemd/system/"},
		"OpenRC":  {"/run/openrc/"},
		"procd":   {"/sbin/procd", "/etc/openwrt_release"},
	} {
		got, err := find(service.Machine{Tree: tree(t, paths...)}, false)
		if err != nil || got.Name() != want {
			t.Errorf("%s: %v, %v", want, got, err)
		}
	}
}
