package script

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/internal/envfile"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// environmentFile returns the cleaned path of EnvironmentFile, "" if s has none.
func environmentFile(s manage.Spec) string {
	file, _ := envfile.Split(s.EnvironmentFile)
	if file == "" {
		return ""
	}
	return path.Clean(file)
}

// checkSourced returns an error if manager runs EnvironmentFile of s as a shell script of root:
// nothing in that file may be executed. sourced are the files that manager runs.
func checkSourced(manager string, s manage.Spec, sourced func(file string) bool) error {
	file := environmentFile(s)
	if file == "" || !sourced(file) {
		return nil
	}
	return fmt.Errorf("%w: EnvironmentFile is %s, which %s runs as root, as a shell script: choose another path, for example /etc/%s.env",
		manage.ErrConfig, file, manager, s.Name)
}

// openrcSources reports whether openrc-run(8) sources a file for the service called name. It
// sources files for the part of the name before the first dot as well, and one for each runlevel.
func openrcSources(file, name string) bool {
	dir, base := path.Split(file)
	switch dir {
	case "/etc/":
		return base == "rc.conf"
	case "/etc/rc.conf.d/":
		return strings.HasSuffix(base, ".conf")
	case "/etc/conf.d/":
		first, _, _ := strings.Cut(name, ".")
		return slices.ContainsFunc([]string{name, first}, func(n string) bool { return base == n || strings.HasPrefix(base, n+".") })
	}
	return false
}

// rcdSources reports whether load_rc_config of rc.subr(8) sources a file for the service called
// name, which may have a folder of such files.
func rcdSources(file, name string) bool {
	if slices.Contains([]string{"/etc/defaults/rc.conf", "/etc/rc.conf", "/etc/rc.conf.local"}, file) {
		return true
	}
	return slices.ContainsFunc([]string{"/etc/rc.conf.d/", "/usr/local/etc/rc.conf.d/"}, func(dir string) bool {
		return file == dir+name || path.Dir(file) == dir+name
	})
}
