package systemd

import (
	"context"
	"errors"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/command"
)

// notStarted is the detail of a service whose conditions did not hold.
const notStarted = "systemd did not start it: a condition of its unit did not hold"

// unmet returns "Condition" or "Assert" if systemd did not start the unit the last time that
// it was to, because one of these directives did not hold. What systemd knows of an end of
// the unit is then older.
func (u properties) unmet() string {
	if u.runs() {
		return ""
	}
	for _, kind := range []string{"Condition", "Assert"} { // it evaluates them in this order
		if u[kind+"Result"] == "no" && !u.timeOf(kind+"Timestamp").IsZero() {
			return kind
		}
	}
	return ""
}

// unmetReason says which directives of an unmet unit did not hold.
func (m *Manager) unmetReason(ctx context.Context, s manage.Spec, u properties) string {
	args := []string{"status", "--no-pager", "--full", "--lines=0", "--", unitName(s)}
	if m.user {
		args = append([]string{"--user"}, args...)
	}
	out, err := m.machine.Runner()(ctx, "systemctl", args...)
	var e *command.Error
	if errors.As(err, &e) { // its exit code says that the unit does not run
		out = e.Stdout
	}
	var found []string
	for line := range strings.Lines(out) {
		line = strings.TrimLeft(strings.TrimSpace(line), "├└─|`- ")
		if directive, ok := strings.CutSuffix(line, " was not met"); ok && strings.HasPrefix(directive, u.unmet()) {
			found = append(found, directive)
		}
	}
	if len(found) == 0 {
		return notStarted + " (" + u.unmet() + "…= in systemd.unit(5))"
	}
	return "systemd did not start it: " + strings.Join(found, ", ") + " did not hold"
}
