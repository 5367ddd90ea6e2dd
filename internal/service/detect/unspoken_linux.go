package detect

import (
	"os"
	"path"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service/system/files"
)

// unspoken is an init, or a supervisor in its place, that is known by name only.
type unspoken struct {
	name string
	how  string // to run a service under it, with NAME and COMMAND
}

// unspokenInit tells by the name of the first process, and by what these inits leave in the
// file system while they run: some call themselves init.
func unspokenInit(tree files.Tree, first string) (unspoken, bool) {
	is := func(processes []string, traces ...string) bool {
		for _, p := range processes {
			if first == p {
				return true
			}
		}
		for _, t := range traces {
			if first == "init" && tree.Exists(t) {
				return true
			}
		}
		return false
	}
	const script = "an executable file with the lines #!/bin/sh and exec COMMAND"
	switch {
	case is([]string{"runit", "runit-init", "runsvdir"}, "/run/runit"):
		return unspoken{"runit", "make /etc/sv/NAME/run, " + script + ", and then: ln -s /etc/sv/NAME " + scanned(tree) + "/"}, true
	case is([]string{"s6-svscan", "s6-linux-init"}, "/run/s6-rc", "/run/s6"):
		return unspoken{"s6", "make /run/service/NAME/run, " + script + ", and then: s6-svscanctl -a /run/service; or, to keep it, a longrun of s6-rc"}, true
	case is([]string{"dinit"}, "/run/dinitctl", "/dev/dinitctl"):
		return unspoken{"dinit", "make /etc/dinit.d/NAME with the lines type = process and command = COMMAND, and then: dinitctl enable NAME"}, true
	case is([]string{"supervisord"}):
		return unspoken{"supervisord", "make a section [program:NAME] with the line command=COMMAND in its configuration, and then: supervisorctl update"}, true
	}
	return unspoken{}, false
}

// scanned is the folder whose services runit runs.
func scanned(tree files.Tree) string {
	for _, dir := range []string{"/var/service", "/run/runit/service", "/etc/service", "/service"} {
		if tree.Exists(dir) {
			return dir
		}
	}
	return "/var/service"
}

// firstProcess is the name of the first process, "" if it is not known.
func firstProcess(tree files.Tree) string {
	comm, err := os.ReadFile(tree.Path("/proc/1/comm"))
	if err != nil {
		return ""
	}
	return path.Base(strings.TrimSpace(string(comm)))
}
