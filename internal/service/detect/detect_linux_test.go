package detect

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
)

// tree returns a machine with these files: paths, each with its content after a colon. A path
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

func TestDetectKind_ByFiles(t *testing.T) {
	for name, test := range map[string]struct {
		paths []string
		want  managerKind
	}{
		"systemd":                                {[]string{"/run/systemd/system/", "/etc/init.d/", "/proc/1/comm:systemd\n"}, onSystemd},
		"systemd in a container":                 {[]string{"/run/systemd/system/", "/.dockerenv", "/proc/1/comm:systemd\n"}, onSystemd},
		"systemd runs, OpenRC is installed":      {[]string{"/run/systemd/system/", "/sbin/openrc", "/sbin/procd"}, onSystemd},
		"OpenRC":                                 {[]string{"/run/openrc/softlevel:default", "/etc/init.d/", "/proc/1/comm:init\n"}, onOpenRC},
		"OpenRC runs, systemctl is installed":    {[]string{"/run/openrc/", "/usr/bin/systemctl"}, onOpenRC},
		"OpenWrt":                                {[]string{"/sbin/procd", "/etc/openwrt_release", "/proc/1/comm:procd\n"}, onProcd},
		"OpenWrt's managers on something else":   {[]string{"/sbin/procd", "/bin/ubus"}, onProcd},
		"a procd that is not the manager":        {[]string{"/sbin/procd", "/proc/1/comm:init\n", "/etc/init.d/"}, onSysV},
		"Upstart":                                {[]string{"/proc/1/comm:init\n", "/etc/init.d/", "/sbin/initctl", "/etc/init/rc.conf"}, onUpstart},
		"Upstart, by its bridge":                 {[]string{"/proc/1/comm:init\n", "/etc/init.d/", "/sbin/upstart-udev-bridge"}, onUpstart},
		"the initctl of something else":          {[]string{"/proc/1/comm:init\n", "/etc/init.d/", "/sbin/initctl"}, onSysV},
		"busybox":                                {[]string{"/proc/1/comm:init\n", "/etc/init.d/rcS", "/etc/inittab:# a\n::sysinit:/etc/init.d/rcS\n"}, onRCS},
		"busybox's script under another init":    {[]string{"/proc/1/comm:init\n", "/etc/init.d/rcS", "/etc/inittab:si::sysinit:/etc/init.d/rcS\n"}, onSysV},
		"Debian's SysV init":                     {[]string{"/proc/1/comm:init\n", "/etc/init.d/rcS", "/usr/sbin/service", "/etc/inittab:::sysinit:/etc/init.d/rcS\n"}, onSysV},
		"no inittab":                             {[]string{"/proc/1/comm:init\n", "/etc/init.d/rcS"}, onSysV},
		"SysV init":                              {[]string{"/proc/1/comm:init\n", "/etc/init.d/"}, onSysV},
		"an init without its scripts":            {[]string{"/proc/1/comm:init\n"}, ""},
		"systemd is installed, but does not run": {[]string{"/usr/bin/systemctl", "/etc/init.d/", "/proc/1/comm:sh\n"}, ""},
		"a container":                            {[]string{"/etc/init.d/", "/proc/1/comm:web\n"}, ""},
		"a container with a small init":          {[]string{"/etc/init.d/", "/proc/1/comm:docker-init\n"}, ""},
		"no /proc":                               {[]string{"/etc/init.d/"}, ""},
		"a chroot":                               {[]string{"/etc/init.d/", "/proc/1/comm:init\n", "/proc/1/root/"}, ""},
		"nothing":                                {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := detectKind(tree(t, test.paths...))
			if got != test.want || (err == nil) != (test.want != "") {
				t.Errorf("got %q, %v", got, err)
			}
			if err != nil && (!errors.Is(err, service.ErrNotSupported) || !strings.Contains(err.Error(), "in the foreground")) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestFind_RefusesUserServicesWithoutSupport(t *testing.T) {
	for _, paths := range [][]string{{"/run/openrc/"}, {"/sbin/procd", "/etc/openwrt_release"}} {
		m := manage.Machine{Tree: tree(t, paths...)}
		if _, err := find(m, true, nil); !errors.Is(err, service.ErrNotSupported) || !strings.Contains(err.Error(), "--user") {
			t.Errorf("%q: %v", paths, err)
		}
	}
}

func TestFind_EachKindHasManager(t *testing.T) {
	for want, paths := range map[string][]string{
		"systemd": {"/run/systemd/system/"},
		"OpenRC":  {"/run/openrc/"},
		"procd":   {"/sbin/procd", "/etc/openwrt_release"},
	} {
		got, err := find(manage.Machine{Tree: tree(t, paths...)}, false, nil)
		if err != nil || got.Name() != want {
			t.Errorf("%s: %v, %v", want, got, err)
		}
	}
}

func TestFind_UpstartOnlyIfAskedFor(t *testing.T) {
	m := manage.Machine{Tree: tree(t, "/proc/1/comm:init\n", "/sbin/upstart-udev-bridge")}
	if _, err := find(m, false, nil); !errors.Is(err, service.ErrNotSupported) || !strings.Contains(err.Error(), "daemon/upstart") {
		t.Errorf("without it: %v", err)
	}
	asked := false
	_, err := find(m, false, []Extra{{Upstart, func(manage.Machine) manage.Manager { asked = true; return nil }}})
	if err != nil || !asked {
		t.Errorf("with it: asked %t, %v", asked, err)
	}
}

func TestFind_NamesForeignInit(t *testing.T) {
	const script = "an executable file with the lines #!/bin/sh and exec /opt/web -v"
	for name, test := range map[string]struct {
		paths []string
		want  string
	}{
		"Void":                     {[]string{"/proc/1/comm:runit\n", "/var/service/"}, "run by runit, which is not a supported service manager; to run it there, create /etc/sv/web/run, " + script + ", and then: ln -s /etc/sv/web /var/service/"},
		"runit in a container":     {[]string{"/proc/1/comm:runsvdir\n", "/etc/service/"}, "ln -s /etc/sv/web /etc/service/"},
		"runit that is named init": {[]string{"/proc/1/comm:init\n", "/run/runit/service/", "/etc/init.d/"}, "ln -s /etc/sv/web /run/runit/service/"},
		"s6":                       {[]string{"/proc/1/comm:s6-svscan\n"}, "run by s6, which is not a supported service manager; to run it there, create /run/service/web/run, " + script + ", and then: s6-svscanctl -a /run/service"},
		"dinit that is named init": {[]string{"/proc/1/comm:init\n", "/run/dinitctl", "/etc/init.d/"}, "run by dinit, which is not a supported service manager; to run it there, create /etc/dinit.d/web with the lines type = process and command = /opt/web -v, and then: dinitctl enable web"},
		"supervisord":              {[]string{"/proc/1/comm:supervisord\n"}, "[program:web] with the line command=/opt/web -v to"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := find(manage.Machine{Tree: tree(t, test.paths...)}, false, nil)
			if err != nil {
				err = fillIn(err, Options{Name: "web", Command: "/opt/web -v"})
			}
			if !errors.Is(err, service.ErrNotSupported) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v\nwant %s", err, test.want)
			}
		})
	}
	for name, paths := range map[string][]string{
		"systemd with dinit installed": {"/run/systemd/system/", "/run/dinitctl"},
		"OpenRC that is run by s6":     {"/run/openrc/", "/run/s6/", "/proc/1/comm:init\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if m, err := find(manage.Machine{Tree: tree(t, paths...)}, false, nil); err != nil {
				t.Errorf("%v, %v", m, err)
			}
		})
	}
}
