package winsvc

import (
	"context"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// Passes implements service.Passer.
func (m *Manager) Passes(ctx context.Context, s manage.Spec) (args []string, ok bool) {
	err := m.with(ctx, s, accessQueryConfig, func(scm *session, _ string, h handle) error {
		c, err := scm.QueryConfig(h)
		if err == nil {
			args, ok = arguments(c.ImagePath)
		}
		return err
	})
	return args, ok && err == nil
}

// arguments splits a command line as CommandLineToArgvW does, and returns what follows the
// program. It returns false if the program is not quoted, because then the line is not from
// compose.
func arguments(line string) (args []string, ok bool) {
	rest, ok := strings.CutPrefix(line, `"`)
	_, rest, closed := strings.Cut(rest, `"`)
	if !ok || !closed {
		return nil, false
	}
	for rest = strings.TrimLeft(rest, " \t"); rest != ""; rest = strings.TrimLeft(rest, " \t") {
		var arg strings.Builder
		quoted := false
		for rest != "" && (quoted || rest[0] != ' ' && rest[0] != '\t') {
			slashes := len(rest) - len(strings.TrimLeft(rest, `\`))
			rest = rest[slashes:]
			if !strings.HasPrefix(rest, `"`) {
				arg.WriteString(strings.Repeat(`\`, slashes))
				if slashes == 0 {
					arg.WriteByte(rest[0])
					rest = rest[1:]
				}
				continue
			}
			arg.WriteString(strings.Repeat(`\`, slashes/2))
			if slashes%2 == 1 {
				arg.WriteByte('"')
			} else {
				quoted = !quoted
			}
			rest = rest[1:]
		}
		args = append(args, arg.String())
	}
	return args, true
}
