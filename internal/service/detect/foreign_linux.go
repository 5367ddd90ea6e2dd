package detect

import (
	"os"
	"path"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service/system/files"
)

// foreignInit is an init, or a supervisor in its place, that is known only by name.
type foreignInit struct {
	name   string
	remedy string // to run a service under it, with NAME and COMMAND
}

// findForeignInit finds it by the name of the first process, and by what these inits leave in
// the file system while they run, because some call themselves init.
func findForeignInit(tree files.Tree, first string) (foreignInit, bool) {
	matches := func(processes []string, traces ...string) bool {
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
	case matches([]string{"runit", "runit-init", "runsvdir"}, "/run/runit"):
		return foreignInit{"runit", "create /etc/sv/NAME/run, " + script + ", and then: ln -s /etc/sv/NAME " + runitFolder(tree) + "/"}, true
	case matches([]string{"s6-svscan", "s6-linux-init"}, "/run/s6-rc", "/run/s6"):
		return foreignInit{"s6", "create /run/service/NAME/run, " + script + ", and then: s6-svscanctl -a /run/service; or, to keep it, a longrun of s6-rc"}, true
	case matches([]string{"dinit"}, "/run/dinitctl", "/dev/dinitctl"):
		return foreignInit{"dinit", "create /etc/dinit.d/NAME with the lines type = process and command = COMMAND, and then: dinitctl enable NAME"}, true
	case matches([]string{"supervisord"}):
		return foreignInit{"supervisord", "add a section [program:NAME] with the line command=COMMAND to its configuration, and then: supervisorctl update"}, true
	}
	return foreignInit{}, false
}

// runitFolder returns the folder whose services runit runs.
func runitFolder(tree files.Tree) string {
	for _, dir := range []string{"/var/service", "/run/runit/service", "/etc/service", "/service"} {
		if tree.Exists(dir) {
			return dir
		}
	}
	return "/var/service"
}

// firstProcess returns the name of the first process, or "" if it is not known.
func firstProcess(tree files.Tree) string {
	comm, err := os.ReadFile(tree.Path("/proc/1/comm"))
	if err != nil {
		return ""
	}
	return path.Base(strings.TrimSpace(string(comm)))
}
