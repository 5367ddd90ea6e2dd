package systemd

import (
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// lostSettings returns warnings about settings of a unit of kardianos/service that the new
// unit does not have. It skips settings that every such unit has: the new unit replaces
// those.
func lostSettings(old, now string, s manage.Spec) (warnings []string) {
	have := strings.Split(now, "\n")
	user := false
	lines := manage.Lost(old, func(line string) bool {
		name, value, _ := strings.Cut(line, "=")
		switch name {
		case "Description", "ConditionFileIsExecutable":
			return true
		case "StartLimitInterval", "StartLimitBurst", "RestartSec", "WantedBy":
			return slices.Contains([]string{"StartLimitInterval=5", "StartLimitBurst=10", "RestartSec=120", "WantedBy=multi-user.target"}, line)
		case "ExecStart":
			return slices.Equal(splitWords(value), append([]string{s.Executable}, s.Arguments...))
		case "Environment":
			return slices.ContainsFunc(splitWords(value), func(v string) bool {
				name, value, _ := strings.Cut(v, "=")
				has, ok := s.Environment[name]
				return ok && has == value
			})
		case "EnvironmentFile":
			return strings.ReplaceAll(value, "%%", "%") == s.EnvironmentFile
		case "User":
			user = true
			return value == s.Account || value == "root" && s.Root()
		}
		return slices.Contains(have, line)
	})
	if s.KeptFile {
		lines = append(lines, s.KeptFileWarning())
	}
	if !user && !s.Root() {
		lines = append(lines, manage.FormerRoot(s.Account)...)
	}
	return lines
}

// splitWords splits a list in a unit into words. Quotes keep blanks, and a backslash escapes
// what follows it. %% is a %.
func splitWords(value string) (list []string) {
	var b strings.Builder
	quote, in := rune(0), false
	escaped := false
	for _, c := range strings.NewReplacer("%%", "%", `\x20`, `\ `).Replace(value) {
		switch {
		case escaped:
			b.WriteRune(c)
			escaped = false
		case c == '\\':
			escaped, in = true, true
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote, in = c, true
		case quote == 0 && (c == ' ' || c == '\t'):
			if in {
				list = append(list, b.String())
			}
			b.Reset()
			in = false
		default:
			b.WriteRune(c)
			in = true
		}
	}
	if in {
		list = append(list, b.String())
	}
	return list
}
