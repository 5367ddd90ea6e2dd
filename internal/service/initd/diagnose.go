package initd

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/system/safe"
)

// Diagnose looks at what the script, the executable, the account and the folders of a
// service are like.
func (m Machine) Diagnose(ctx context.Context, s service.Spec) []service.Finding {
	var found []service.Finding
	add := func(level service.Level, what, detail, remedy string) {
		found = append(found, service.Finding{Level: level, What: what, Detail: detail, Remedy: remedy})
	}
	l := Of(s)
	text, err := m.Installed(s)
	switch {
	case errors.Is(err, service.ErrNotInstalled):
		add(service.Problem, "script", "there is no "+l.Script, "install the service")
		return found
	case err != nil:
		add(service.Problem, "script", err.Error(), "")
		return found
	case !service.Marked(text):
		add(service.Warning, "script", l.Script+" was made by another program", "install makes it anew")
	default:
		add(service.OK, "script", l.Script, "")
	}

	check := m.Safe
	if check == nil {
		check = safe.Executable
	}
	switch err := check(m.Tree.Path(s.Executable), false); {
	case errors.Is(err, service.ErrUnsafe):
		add(service.Warning, "executable", err.Error(), "")
	case err != nil:
		add(service.Problem, "executable", err.Error(), "put it there, or install the service anew")
	default:
		add(service.OK, "executable", s.Executable, "")
	}

	o, err := m.Owner(ctx, s)
	switch {
	case err != nil:
		add(service.Problem, "account", err.Error(), "")
		return found
	case o.Missing:
		add(service.Problem, "account", "there is no "+o.Name, "install the service anew")
		return found
	default:
		add(service.OK, "account", o.Name, "")
	}
	if at := m.barred(s.Executable); at != "" && o.UID != 0 {
		add(service.Problem, "executable", fmt.Sprintf("%s may not enter %s", o.Name, at), "move the executable, to /usr/local/bin for one")
	}
	for _, dir := range l.Owned() {
		if uid, ok := owner(m.Tree.Path(dir)); ok && uid != o.UID {
			add(service.Problem, "folder", fmt.Sprintf("%s belongs to the user with ID %d, not to %s", dir, uid, o.Name), fmt.Sprintf("chown -Rh %s:%s %s", o.Name, o.Group, dir))
		}
	}
	return found
}
