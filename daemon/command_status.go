package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/log/logtext"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

func (c *commandLine) status(ctx context.Context, o options) int {
	h, err := c.handle(o)
	if errors.Is(err, manage.ErrNoManager) {
		return c.statusOfRun(ctx, o)
	}
	if err != nil {
		_ = c.failed(err)
		return stateCode(service.Unknown)
	}
	s, err := h.Status(ctx)
	if err != nil {
		_ = c.failed(err)
		return stateCode(service.Unknown)
	}
	other := ""
	if s.State == service.NotInstalled {
		other = c.elsewhere(ctx, o)
	}
	if s.State == service.NotInstalled && other == "" && c.ask != nil && !c.config.Service.Template {
		// A Windows container, for example, has a manager, but runs the program directly. The
		// process of a template could be any instance.
		if run, err := c.askRun(ctx); err == nil {
			run.Detail = h.Manager() + " has no service of this name"
			return c.printStatus(h.Name(), h.Manager(), run, "", o)
		}
	}
	code := c.printStatus(h.Name(), h.Manager(), s, h.lastWords(s.State), o)
	if other != "" {
		_, _ = fmt.Fprintf(c.err, "%s: %s\n", h.Name(), other)
	}
	return code
}

// printStatus prints s, with last about the last run, and returns the exit code.
func (c *commandLine) printStatus(name, manager string, s service.Status, last string, o options) int {
	if o.json {
		c.statusJSON(name, manager, s)
		return statusCode(s)
	}
	line := summary(s)
	if last != "" {
		line += "; " + last
	}
	_, _ = fmt.Fprintf(c.out, "%s: %s\n", name, line)
	return statusCode(s)
}

// statusCode returns the exit code of status: that of the state, or of a failure if the
// program is not well.
func statusCode(s service.Status) int {
	if code := stateCode(s.State); code != 0 || s.Unhealthy == "" {
		return code
	}
	return stateCode(service.Failed)
}

// statusJSON prints s as JSON, without what the manager does not report.
func (c *commandLine) statusJSON(name, manager string, s service.Status) {
	since, code := (*time.Time)(nil), (*int)(nil)
	if !s.Since.IsZero() {
		since = &s.Since
	}
	if s.State == service.Failed && s.ExitCode >= 0 || hasEnded(s) {
		code = &s.ExitCode
	}
	text, err := json.Marshal(struct {
		Name      string            `json:"name"`
		Manager   string            `json:"manager"`
		State     service.State     `json:"state"`
		PID       int               `json:"pid,omitempty"`
		Since     *time.Time        `json:"since,omitempty"`
		StartType service.StartType `json:"start_type,omitempty"`
		ExitCode  *int              `json:"exit_code,omitempty"`
		Detail    string            `json:"detail,omitempty"`
		Restarts  int               `json:"restarts,omitempty"`

		LastFailure string `json:"last_failure,omitempty"`
		Unhealthy   string `json:"unhealthy,omitempty"`
	}{name, manager, s.State, s.PID, since, s.StartType, code, s.Detail, s.Restarts, s.LastFailure, s.Unhealthy})
	if err != nil {
		panic(err) // nothing in it can fail
	}
	_, _ = fmt.Fprintf(c.out, "%s\n", text)
}

// hasEnded reports whether the service is stopped and its exit code is known. The time of the
// end may be unknown: Windows does not report it.
func hasEnded(s service.Status) bool { return s.State == service.Stopped && s.ExitCode >= 0 }

// summary returns s in one line.
func summary(s service.Status) string {
	var b strings.Builder
	b.WriteString(string(s.State))
	// Some managers describe the exit code in Detail.
	inWords := strings.Contains(s.Detail, "exit code "+strconv.Itoa(s.ExitCode)) || strings.Contains(s.Detail, "killed by SIG")
	if s.State == service.Failed && s.ExitCode >= 0 && !inWords {
		b.WriteString(", exit code " + codeInWords(s.ExitCode))
	}
	if hasEnded(s) && s.LastFailure == "" { // LastFailure has the exit code
		b.WriteString(", exit code " + codeInWords(s.ExitCode))
	}
	if s.PID != 0 {
		b.WriteString(", process " + strconv.Itoa(s.PID))
	}
	if !s.Since.IsZero() && s.State != service.NotInstalled {
		b.WriteString(", since " + s.Since.Local().Format(time.DateTime))
	}
	switch {
	case s.Restarts == 1:
		b.WriteString(", restarted once")
	case s.Restarts > 1:
		fmt.Fprintf(&b, ", restarted %d times", s.Restarts)
	}
	switch s.StartType {
	case service.Automatic:
		b.WriteString("; starts by itself")
	case service.Delayed:
		b.WriteString("; starts by itself, delayed")
	case service.OnSocket:
		b.WriteString("; starts when somebody connects")
	case service.Manual:
		b.WriteString("; starts when asked to")
	case service.Disabled:
		b.WriteString("; disabled")
	}
	if s.Detail != "" {
		b.WriteString(" (" + oneLine(s.Detail) + ")")
	}
	if s.Unhealthy != "" {
		b.WriteString("; unhealthy: " + oneLine(s.Unhealthy))
	}
	return b.String()
}

// codeInWords returns an exit code with its meaning, if it is one that this package uses.
func codeInWords(code int) string {
	s := strconv.Itoa(code)
	switch code {
	case exitFailure:
		return s + " (it failed; its log says how)"
	case exitUsage:
		return s + " (its command line is wrong, or the Go runtime ended it: a fatal error or a panic)"
	case exitConfig:
		return s + " (its configuration is wrong)"
	case exitStopTimeout:
		return s + " (something still ran at the stop deadline)"
	}
	switch n := code - exitSignal; {
	case forced[n] != "":
		return s + " (forced by a second " + forced[n] + ", or killed by it)"
	case killers[n] != "":
		return s + " (killed by " + killers[n] + ")"
	case n > 0 && n < 65:
		return s + " (killed by signal " + strconv.Itoa(n) + ")"
	}
	return s
}

// oneLine returns s in one line, with control characters escaped.
func oneLine(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
	return string(logtext.AppendSafe(nil, s))
}

// Signals by number, which is the same on every system. forced are those whose second arrival
// makes this package exit with 128 plus the number; killers are others that end processes.
var (
	forced  = map[int]string{2: "SIGINT", 15: "SIGTERM"}
	killers = map[int]string{1: "SIGHUP", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 8: "SIGFPE", 9: "SIGKILL", 11: "SIGSEGV", 13: "SIGPIPE", 14: "SIGALRM"}
)
