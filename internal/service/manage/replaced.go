package manage

import (
	"fmt"
	"strings"
)

// Lost returns a warning for each line of old, a file of another tool that this service
// replaces, for which carried returns false. It skips empty lines and comments.
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

// NotCarried returns the warning about one setting of a replaced service that is lost.
func NotCarried(what string) string {
	const most = 200
	if len(what) > most {
		what = strings.ToValidUTF8(what[:most], "") + "…"
	}
	return fmt.Sprintf("the service that is replaced had %s: it is not carried over", what)
}

// FormerRoot returns the warning for a replaced service that ran as root, or nil if account
// is root as well.
func FormerRoot(account string) []string {
	if account == "root" {
		return nil
	}
	if account == "" {
		account = "an account of its own"
	}
	return []string{fmt.Sprintf("the service that is replaced ran as root: this one runs as %s, and may not be able to read and write the files of the other; Account says who it is", account)}
}

// KeptFileWarning returns the warning that EnvironmentFile is kept.
func (s Spec) KeptFileWarning() string {
	return fmt.Sprintf("EnvironmentFile: %s stays that of the service that is replaced", s.EnvironmentFile)
}
