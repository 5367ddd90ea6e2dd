package systemd

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// properties holds the properties of a unit, by name.
type properties map[string]string

// statusProperties are all the properties that are read.
var statusProperties = strings.Join([]string{
	"Id", "LoadState", "LoadError", "ActiveState", "SubState", "Result", "ReloadResult", "MainPID", "NRestarts",
	"ExecMainPID", "ExecMainCode", "ExecMainStatus", "StatusText", "StatusErrno", "UnitFileState", "FragmentPath", "SourcePath",
	"DropInPaths", "NeedDaemonReload", "RefuseManualStart", "After", "InvocationID", "RestartUSecNext",
	"StateChangeTimestamp", "ActiveEnterTimestamp", "InactiveEnterTimestamp", "ExecMainStartTimestamp",
	"ConditionResult", "ConditionTimestamp", "AssertResult", "AssertTimestamp",
	"WorkingDirectory", "EnvironmentFiles", "ExecCondition", "ExecStartPre", "ExecStartPost", "ExecStop", "ExecStopPost",
}, ",")

// show returns the properties of the service and its sockets, with one call of systemctl.
func (m *Manager) show(ctx context.Context, s manage.Spec) (serv properties, sockets []properties, err error) {
	dir, err := m.unitFolder()
	if err != nil {
		return nil, nil, err
	}
	files, err := m.socketFiles(s, dir)
	if err != nil {
		return nil, nil, err
	}
	name := unitName(s)
	args := []string{"show", "--timestamp=us+utc", "--property=" + statusProperties, "--", name}
	for _, f := range files {
		args = append(args, instanceOf(f, s))
	}
	out, err := m.systemctl(ctx, args...)
	if err != nil {
		return nil, nil, err
	}
	serv = properties{}
	for block := range strings.SplitSeq(out, "\n\n") {
		switch u := parse(block); {
		case u["Id"] == name:
			serv = u
		case u.known():
			sockets = append(sockets, u)
		}
	}
	return serv, sockets, nil
}

// showProperties returns properties of any unit.
func (m *Manager) showProperties(ctx context.Context, unit string, names ...string) (properties, error) {
	out, err := m.systemctl(ctx, "show", "--property="+strings.Join(names, ","), "--", unit)
	return parse(out), err
}

// parse parses what systemctl show prints about one unit. A property that has several lines,
// such as a list of commands, keeps them all.
func parse(block string) properties {
	u := properties{}
	for line := range strings.Lines(block) {
		name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if !ok {
			continue
		}
		if before := u[name]; before != "" {
			value = before + "\n" + value
		}
		u[name] = value
	}
	return u
}

// known reports whether systemd knows the unit.
func (u properties) known() bool { return u["LoadState"] != "" && u["LoadState"] != "not-found" }

// runs reports whether the unit may have a process.
func (u properties) runs() bool {
	switch u["ActiveState"] {
	case "", "inactive", "failed":
		return false
	}
	return true
}

func (u properties) enabled() bool { return u["UnitFileState"] == "enabled" }

// anyDeaf reports whether one of the sockets does not listen.
func anyDeaf(sockets []properties) bool {
	return slices.ContainsFunc(sockets, func(k properties) bool { return k["ActiveState"] != "active" })
}

// anyListening reports whether one of the sockets listens.
func anyListening(sockets []properties) bool {
	return slices.ContainsFunc(sockets, func(k properties) bool { return k["ActiveState"] == "active" })
}

// Launches implements service.Launcher.
func (m *Manager) Launches(ctx context.Context, s manage.Spec) (string, error) {
	if bareTemplate(s) {
		return "", nil
	}
	u, err := m.showProperties(ctx, unitName(s), "ExecStart")
	if err != nil {
		return "", err
	}
	// { path=/usr/local/bin/web ; argv[]=/usr/local/bin/web -v ; ignore_errors=no ; … }
	_, rest, _ := strings.Cut(u["ExecStart"], "path=")
	file, _, _ := strings.Cut(rest, " ; argv[]=")
	if file == shell && strings.Contains(rest, `exec "$0" "$@"`) {
		return "", nil // it runs an executable that systemd would refuse: see execLine
	}
	return file, nil
}

// Passes implements service.Passer. It reads the unit file, which has the exact words.
func (m *Manager) Passes(_ context.Context, s manage.Spec) (args []string, ok bool) {
	dir, err := m.unitFolder()
	if err != nil {
		return nil, false
	}
	text, _, err := m.machine.Tree.Read(path.Join(dir, serviceUnit(s)))
	if err != nil || !manage.Marked(text) {
		return nil, false
	}
	_, rest, ok := strings.Cut(text, "\nExecStart=")
	line, _, _ := strings.Cut(rest, "\n")
	words, valid := execWords(line)
	if !ok || !valid {
		return nil, false
	}
	return words[1:], true
}
