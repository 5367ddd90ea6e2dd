package script

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
	"github.com/go-glidepath/glidepath/internal/service/system/shell"
)

func (m *Manager) Diagnose(ctx context.Context, s manage.Spec) []manage.Finding {
	found := examine(m.machine.Tree, m.dialect.Layout(s).File, s, m.Safe)
	if len(found) == 1 {
		return found
	}
	found = append(found, m.examineAccount(ctx, s)...)
	st, err := m.Status(ctx, s)
	if err != nil {
		return append(found, manage.Finding{Level: manage.Warning, What: m.Name(), Detail: err.Error()})
	}
	return append(found, m.dialect.Diagnose(ctx, s, st)...)
}

// examineAccount looks at the account of s, and at what it can enter and write.
func (m *Manager) examineAccount(ctx context.Context, s manage.Spec) (found []manage.Finding) {
	if m.User {
		return nil
	}
	problem := func(what, detail, remedy string) {
		found = append(found, manage.Finding{Level: manage.Problem, What: what, Detail: detail, Remedy: remedy})
	}
	o, exists, err := m.findAccount(ctx, s)
	switch {
	case err != nil:
		problem("account", err.Error(), "")
		return found
	case !exists && o.Missing:
		problem("account", "there is no "+o.Name, "install the service again")
		return found
	case !exists:
		problem("account", "there is no "+o.Name, "make it, and install the service again")
		return found
	}
	found = append(found, manage.Finding{Level: manage.OK, What: "account", Detail: o.Name})
	if at := m.barred(s.Executable, o); at != "" {
		problem("executable", fmt.Sprintf("%s may not enter %s", o.Name, at), moveExecutable)
	}
	for _, f := range m.folders(s) {
		if uid, ok := m.OwnerOf(m.machine.Tree.Path(f.path)); ok && uid != o.UID && !f.root {
			problem("folder", belongsTo(f.path, uid, o), shell.Join("chown", "-Rh", o.Name+":"+o.Group, f.path))
		}
	}
	return found
}

// examine looks at the file of a service and at its executable. Where there is no file, that
// is all it finds.
func examine(tree files.Tree, path string, s manage.Spec, safe func(string, bool) error) []manage.Finding {
	var found []manage.Finding
	add := func(level manage.Level, what, detail, remedy string) []manage.Finding {
		found = append(found, manage.Finding{Level: level, What: what, Detail: detail, Remedy: remedy})
		return found
	}
	text, exists, err := tree.Read(path)
	switch {
	case err != nil:
		return add(manage.Problem, "file", err.Error(), "")
	case !exists:
		return add(manage.Problem, "file", "there is no "+path, "install the service")
	case !manage.Marked(text):
		add(manage.Warning, "file", path+" was made by another program", "install makes it again")
	default:
		add(manage.OK, "file", path, "")
	}
	switch err := safe(tree.Path(s.Executable), s.User); {
	case errors.Is(err, service.ErrUnsafe):
		return add(manage.Warning, "executable", err.Error(), "")
	case err != nil:
		return add(manage.Problem, "executable", err.Error(), "put it there, or install the service again from where the program is now")
	}
	return add(manage.OK, "executable", s.Executable, "")
}

// elapsed reads what ps prints for etime, as POSIX has it: [[dd-]hh:]mm:ss.
func elapsed(s string) (time.Duration, bool) {
	s = strings.TrimSpace(s)
	days, rest, ok := strings.Cut(s, "-")
	if !ok {
		days, rest = "0", s
	}
	d, err := strconv.Atoi(days)
	if err != nil || rest == "" {
		return 0, false
	}
	total := 0
	for part := range strings.SplitSeq(rest, ":") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return 0, false
		}
		total = total*60 + n
	}
	return time.Duration(d)*24*time.Hour + time.Duration(total)*time.Second, true
}
