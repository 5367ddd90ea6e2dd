package systemd

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// Status returns the status of the service, with one call of systemctl.
func (m *Manager) Status(ctx context.Context, s manage.Spec) (service.Status, error) {
	if bareTemplate(s) {
		return m.templateStatus(s)
	}
	u, sockets, err := m.show(ctx, s)
	if err != nil {
		return service.Status{State: service.Unknown}, err
	}
	return status(u, sockets), nil
}

// templateStatus returns the status of the template itself, which does not run.
func (m *Manager) templateStatus(s manage.Spec) (service.Status, error) {
	dir, err := m.unitFolder()
	if err != nil {
		return service.Status{State: service.Unknown}, err
	}
	if !m.machine.Tree.Exists(dir + "/" + serviceUnit(s)) {
		return service.Status{State: service.NotInstalled}, nil
	}
	return service.Status{State: service.Stopped, ExitCode: -1, Detail: "a template; only its instances run"}, nil
}

// status derives a status from a unit and the sockets that start it.
func status(u properties, sockets []properties) service.Status {
	st := service.Status{State: u.state(), StartType: u.startType(sockets)}
	st.PID, _ = strconv.Atoi(u["MainPID"])
	st.Restarts, _ = strconv.Atoi(u["NRestarts"])
	switch st.State {
	case service.NotInstalled:
		return st
	case service.Running:
		st.Since = u.timeOf("ActiveEnterTimestamp")
	case service.Stopped:
		st.Since = u.timeOf("InactiveEnterTimestamp")
	default:
		st.Since = u.timeOf("StateChangeTimestamp")
	}
	if st.State == service.Failed || st.State == service.Stopped {
		st.ExitCode = u.exitCode()
	}
	if st.State == service.Failed && u.commandFailed() {
		st.ExitCode = -1 // that of the program explains nothing
	}
	st.Detail = u.detail(st.State, sockets)
	if changed := outdated(u, sockets); len(changed) > 0 {
		st.Detail = join(st.Detail, changedText(changed))
	}
	return st
}

func (u properties) state() service.State {
	switch u["ActiveState"] {
	case "active":
		return service.Running
	case "reloading", "refreshing":
		return service.Reloading
	case "deactivating":
		return service.Stopping
	case "failed":
		return service.Failed
	case "activating":
		if u.awaitsRestart() {
			return service.Failed
		}
		return service.Starting
	case "inactive", "":
		if !u.known() {
			return service.NotInstalled
		}
		return service.Stopped
	}
	return service.Unknown
}

// awaitsRestart reports whether the unit has failed and is about to be restarted.
func (u properties) awaitsRestart() bool { return strings.HasPrefix(u["SubState"], "auto-restart") }

func (u properties) startType(sockets []properties) service.StartType {
	switch state := u["UnitFileState"]; {
	case !u.known():
		return ""
	case strings.HasPrefix(state, "masked"), u["RefuseManualStart"] == "yes":
		return service.Disabled
	case state == "enabled" && delayed(u):
		return service.Delayed
	case state == "enabled", state == runtimeEnabled:
		return service.Automatic
	case slices.ContainsFunc(sockets, properties.enabled):
		return service.OnSocket
	case state == "":
		return ""
	}
	return service.Manual
}

func delayed(u properties) bool {
	after := strings.Fields(u["After"])
	return slices.Contains(after, "multi-user.target") || slices.Contains(after, "default.target")
}

// exitCode returns the exit code of the last process as a shell would, or -1 if there was
// none.
func (u properties) exitCode() int {
	code, err := strconv.Atoi(u["ExecMainStatus"])
	if err != nil {
		return -1
	}
	switch u["ExecMainCode"] {
	case "1": // CLD_EXITED
		return code
	case "2", "3": // CLD_KILLED, CLD_DUMPED
		return 128 + code
	}
	return -1
}

// timeOf parses a time property in the format of --timestamp=us+utc.
func (u properties) timeOf(property string) time.Time {
	value := u[property]
	if i := strings.IndexByte(value, ' '); i >= 0 {
		value = value[i+1:] // the day of the week
	}
	t, err := time.Parse("2006-01-02 15:04:05.999999 UTC", value)
	if err != nil {
		return time.Time{}
	}
	return t
}

// detail returns what systemd says about the unit, in one line.
func (u properties) detail(state service.State, sockets []properties) string {
	switch u["LoadState"] {
	case "loaded":
	case "masked":
		return "masked"
	case "not-found":
		return "the unit file is gone"
	default:
		return "the unit cannot be loaded: " + u.loadError()
	}
	switch state {
	case service.Failed:
		if u.unmet() != "" {
			return notStarted
		}
		return u.shortReason()
	case service.Stopped:
		if anyListening(sockets) {
			return manage.Listening
		}
		if u.unmet() != "" {
			return notStarted
		}
		if u["SubState"] != "dead" {
			return u["SubState"]
		}
		return ""
	}
	if text := u["StatusText"]; text != "" && text != string(state) {
		return text
	}
	return ""
}

// loadError returns the message of LoadError, without the name of the error.
func (u properties) loadError() string {
	_, message, ok := strings.Cut(u["LoadError"], " ")
	if !ok {
		return u["LoadState"]
	}
	return strings.Trim(message, `"`)
}

// shortReason says in a few words why the unit has failed.
func (u properties) shortReason() string {
	said := u.howEnded()
	if u.commandFailed() {
		said = u.failedCommand()
	}
	if result := u["Result"]; result != "exit-code" && result != "signal" && result != "success" {
		said = join("Result="+result, said)
	}
	if u.awaitsRestart() {
		said = join(said, "waiting for its restart")
		if wait := u["RestartUSecNext"]; wait != "" {
			said += fmt.Sprintf(" (%s)", wait)
		}
	}
	return said
}

// howEnded says how the last process ended, or "" if it ended well or there was none.
func (u properties) howEnded() string {
	code, err := strconv.Atoi(u["ExecMainStatus"])
	switch dir := u["WorkingDirectory"]; {
	case err != nil:
	case u["ExecMainCode"] == "1" && code == 200 && path.IsAbs(dir):
		return "exit code 200/CHDIR: its working directory " + dir + " cannot be entered"
	case u["ExecMainCode"] == "1" && code != 0:
		return exitCodeText(code)
	case u["ExecMainCode"] == "2":
		return signalText(code)
	case u["ExecMainCode"] == "3":
		return signalText(code) + ", with a core dump"
	}
	return ""
}

// join joins the parts that are not empty with commas.
func join(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), ", ")
}
