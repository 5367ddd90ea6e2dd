package kardianos

import (
	"strings"

	"github.com/go-glidepath/glidepath/internal/service"
)

// lost returns warnings about what a job of Upstart has that kardianos/service has made for
// another program, and the one in its place has not.
func lost(old string, s service.Spec, account string) []string {
	user := false
	lines := service.Lost(old, func(line string) bool {
		word, value, _ := strings.Cut(line, " ")
		value = strings.TrimSpace(value)
		switch word {
		case "exec":
			value, _, _ = strings.Cut(value, " >> ")
			if rest, ok := strings.CutPrefix(value, "sudo -E -u "); ok {
				var name string
				name, value, _ = strings.Cut(rest, " ")
				user = true
				if name != s.Account {
					return false
				}
			}
			return strings.ReplaceAll(value, `"`, "") == strings.Join(append([]string{s.Executable}, s.Args...), " ")
		case "chdir":
			return value == s.Directory
		case "setuid":
			user = true
			return value == s.Account
		case "kill":
			return value == "signal INT"
		case "chroot", "env", "export", "limit", "nice", "oom", "setgid":
			return false
		}
		return true
	})
	if !user {
		lines = append(lines, service.FormerRoot(account)...)
	}
	return lines
}
