package script

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// Lacks returns warnings about what s asks for and manager does not have. has are the fields
// that need no warning.
func Lacks(manager string, s manage.Spec, has ...string) []string {
	var lines []string
	lack := func(asked bool, field, format string, args ...any) {
		if asked && !slices.Contains(has, field) {
			lines = append(lines, field+": "+fmt.Sprintf(format, args...))
		}
	}
	h, r, l := s.Hardening, s.Recovery, s.Limits
	lack(s.StartType == service.Delayed, "StartType", "%s has no delayed start; it starts with the others", manager)
	lack(s.StartType == service.Disabled, "StartType", "%s can start it all the same when somebody asks for it", manager)
	if s.StartType == service.OnSocket {
		lines = append(lines, "StartType: "+manager+" starts nothing for a connection; it starts with the machine")
	}
	lack(len(s.Sockets) > 0, "Sockets", "%s hands over none; the program opens them itself", manager)
	lack(len(s.Dependencies) > 0, "Dependencies", "%s starts services in no order; the program has to wait for %s itself", manager, strings.Join(s.Dependencies, ", "))
	if len(r.Delays) > 1 {
		lack(!r.Never, "Recovery.Delays", "%s has one delay, and no reset; it is the first, %s", manager, r.Delays[0])
	}
	lack(!r.Never && r.CrashOnly, "Recovery.CrashOnly", "%s cannot tell; it is restarted after an exit code, too", manager)
	lack(!r.Never, "Recovery", "%s looks at no exit code; it is restarted also after 78 (wrong configuration) and after it has ended by itself with 0", manager)
	lack(s.EnvironmentFile != "", "EnvironmentFile", "%s reads none; the program does when it runs, and its account needs the right to read it", manager)
	lack(s.Watchdog > 0, "Watchdog", "%s has none", manager)
	lack(s.FileDescriptorStore > 0, "FileDescriptorStore", "%s has none", manager)
	lack(h.Profile != service.Unconfined, "Hardening.Profile", "%s has no sandbox; what it has is an account, a umask and the folders", manager)
	lack(h.Profile == service.LowPorts && !s.Root(), "Hardening.Profile LowPorts", "%s cannot give the right to ports below 1024 to an account alone", manager)
	caps := slices.DeleteFunc(slices.Clone(h.Capabilities), func(c string) bool { return !strings.HasPrefix(c, "CAP_") })
	lack(len(caps) > 0 && !s.Root(), "Hardening.Capabilities", "%s gives none; it runs without %s", manager, strings.Join(caps, ", "))
	lack(len(h.WritablePaths) > 0 && s.Account == "" && !s.User, "Hardening.WritablePaths", "%s gives the account of the service no rights to %s; see that it has them", manager, strings.Join(h.WritablePaths, ", "))
	lack(l.OpenFiles > 0, "Limits.OpenFiles", "%s sets none", manager)
	lack(l.Tasks > 0, "Limits.Tasks", "%s counts the processes of the account, not those of the service; it sets none", manager)
	lack(l.Memory > 0, "Limits.Memory", "%s sets none", manager)
	lack(l.CPU > 0, "Limits.CPU", "%s sets none", manager)
	lack(l.LogRecords > 0, "Limits.LogRecords", "%s has no journal", manager)
	return lines
}

// theirs is what is known of the scripts that kardianos/service writes for one init.
type theirs struct {
	// sum is that of the lines which are the same in all of them.
	sum uint32
	// command is the setting that begins with the executable, and arguments another that has
	// the arguments alone, "" if they are in command.
	command, arguments string
	// own are settings that the service has something else for.
	own []string
}

// lost returns warnings about what the script old has and the service in its place has not. A
// script whose lines cannot be told from settings has been changed by hand.
func (k theirs) lost(old string, s manage.Spec, account string) []string {
	sum := fnv.New32a()
	settings := ""
	for line := range strings.Lines(old) {
		switch line = strings.TrimSpace(line); {
		case line == "" || line == "}" || line[0] == '#':
		case setting(line):
			settings += line + "\n"
		default:
			_, _ = sum.Write([]byte(line + "\n"))
		}
	}
	warnings := manage.Lost(settings, func(line string) bool { return k.carried(line, s) })
	if sum.Sum32() != k.sum {
		warnings = append(warnings, manage.NotCarried("other commands in its script than kardianos/service v1.3.0 writes there"))
	}
	return append(warnings, manage.FormerRoot(account)...)
}

// setting reports whether a line of a script sets something.
func setting(line string) bool {
	first, _, _ := strings.Cut(line, " ")
	if slices.Contains([]string{"after", "before", "cd", "depend()", "export", "need", "provide", "ulimit", "umask", "use", "want"}, first) {
		return true
	}
	name, _, ok := strings.Cut(line, "=")
	return ok && name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r != '_' && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
}

func (k theirs) carried(line string, s manage.Spec) bool {
	line, exported := strings.CutPrefix(line, "export ")
	if dir, ok := strings.CutPrefix(line, "cd "); ok {
		return bare(dir) == bare(s.WorkingDirectory)
	}
	name, value, _ := strings.Cut(line, "=")
	switch {
	case line == "depend() {":
		return true // what is in it is asked about
	case exported:
		has, ok := s.Environment[name]
		return ok && bare(has) == bare(value)
	case name == k.command && k.arguments != "":
		return bare(value) == bare(s.Executable)
	case name == k.command:
		if _, after, ok := strings.Cut(value, "${daemon_args} "); ok { // its flags are in another setting
			value = after
		}
		return bare(value) == bare(strings.Join(append([]string{s.Executable}, s.Arguments...), " "))
	case name == k.arguments:
		return bare(value) == bare(strings.Join(s.Arguments, " "))
	}
	need, other, _ := strings.Cut(line, " ")
	return slices.Contains(k.own, name) || need == "need" && slices.Contains(s.Dependencies, other)
}

// bare returns a value without its quotes.
func bare(value string) string {
	return strings.TrimSpace(strings.NewReplacer(`"`, "", `'`, "", `\`, "").Replace(value))
}
