package script

import (
	"hash/fnv"
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service/manage"
)

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
