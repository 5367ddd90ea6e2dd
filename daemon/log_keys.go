package daemon

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/daemon/logkeys"
	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/log/logtext"
)

// findKeys returns the names that an operator has chosen with LOG_KEYS, or the
// configuration. The error says what is wrong with LOG_KEYS.
func findKeys(c Config, env host.Env, getenv func(string) string) (logkeys.Keys, error) {
	text := getenv("LOG_KEYS")
	if !env.Own || text == "" {
		return c.LogKeys, nil
	}
	wanted := logkeys.Keys(strings.ToLower(text))
	if !slices.Contains(logtext.AllKeys(), wanted) {
		return c.LogKeys, fmt.Errorf("LOG_KEYS is %q: want one of %s", text, strings.Trim(fmt.Sprint(logtext.AllKeys()), "[]"))
	}
	return wanted, nil
}
