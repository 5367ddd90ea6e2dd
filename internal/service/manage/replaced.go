package manage

import (
	"fmt"
	"strings"
)

// Lost are warnings about the lines of old, a file of another tool that this service
// replaces, for which carried returns false. Empty lines and comments are not asked about.
func Lost(old string, carried func(line string) bool) (warnings []string) {
	for line := range strings.Lines(old) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == ';' || line[0] == '[' && strings.HasSuffix(line, "]") && !strings.Contains(line, " ") || carried(line) {
			continue
		}
		warnings = append(warnings, NotCarried(line))
	}
	return warnings
}

// NotCarried is the warning about one thing that a service had which this one replaces.
func NotCarried(what string) string {
	const most = 200
	if len(what) > most {
		what = strings.ToValidUTF8(what[:most], "") + "…"
	}
	return fmt.Sprintf("the service that is replaced had %s: it is not carried over", what)
}

// FormerRoot is the warning for a service that had all rights, "" if account has them too.
func FormerRoot(account string) []string {
	if account == "root" {
		return nil
	}
	if account == "" {
		account = "an account of its own"
	}
	return []string{fmt.Sprintf("the service that is replaced ran as root: this one runs as %s, and may not be able to read and write the files of the other; Account says who it is", account)}
}

// KeptFileWarning says that EnvironmentFile stays.
func (s Spec) KeptFileWarning() string {
	return fmt.Sprintf("EnvironmentFile: %s stays that of the service that is replaced", s.EnvironmentFile)
}
