package systemd

import (
	"context"
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service"
)

// shown are properties of a unit, by name.
type shown map[string]string

// asked are the properties that are ever looked at.
var asked = strings.Join([]string{
	"Id", "LoadState", "LoadError", "ActiveState", "SubState", "Result", "ReloadResult", "MainPID", "NRestarts",
	"ExecMainCode", "ExecMainStatus", "StatusText", "StatusErrno", "UnitFileState", "FragmentPath", "SourcePath",
	"DropInPaths", "NeedDaemonReload", "RefuseManualStart", "After", "Triggers", "InvocationID", "ConditionResult",
	"StateChangeTimestamp", "ActiveEnterTimestamp", "InactiveEnterTimestamp", "RestartUSecNext", "ProtectHome", "ProtectSystem", "Type",
}, ",")

// show asks for a service and the sockets that start it, which are those that systemd
// has loaded. It is one call.
func (m *Manager) show(ctx context.Context, s service.Spec) (serv shown, sockets []shown, err error) {
	name := unit(s)
	pattern := s.Name + "-*.socket"
	if s.Template {
		pattern = s.Name + "-*@" + s.Instance + ".socket"
	}
	out, err := m.systemctl(ctx, "show", "--timestamp=us+utc", "--property="+asked, "--", name, pattern)
	if err != nil {
		return nil, nil, err
	}
	serv = shown{}
	for block := range strings.SplitSeq(out, "\n\n") {
		u := parse(block)
		switch {
		case u["Id"] == name:
			serv = u
		case slices.Contains(strings.Fields(u["Triggers"]), name):
			sockets = append(sockets, u)
		}
	}
	return serv, sockets, nil
}

// parse reads what systemctl show has printed about one unit. LoadError has a name and
// a message.
func parse(block string) shown {
	u := shown{}
	for line := range strings.Lines(block) {
		if name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "="); ok {
			u[name] = value
		}
	}
	return u
}

// there reports whether systemd knows of a unit.
func (u shown) there() bool { return u["LoadState"] != "" && u["LoadState"] != "not-found" }

// runs reports whether a process of the unit may be there.
func (u shown) runs() bool {
	switch u["ActiveState"] {
	case "", "inactive", "failed":
		return false
	}
	return true
}

func (u shown) enabled() bool { return u["UnitFileState"] == "enabled" }

// listening reports whether one of the sockets waits for somebody.
func listening(sockets []shown) bool {
	return slices.ContainsFunc(sockets, func(k shown) bool { return k["ActiveState"] == "active" })
}
