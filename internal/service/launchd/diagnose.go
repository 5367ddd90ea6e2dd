package launchd

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/go-glidepath/glidepath/internal/service"
)

// Diagnose implements service.Manager.
func (m *Manager) Diagnose(ctx context.Context, s service.Spec) []service.Finding {
	name := s.ServiceName()
	l := m.layout(name)
	domain := m.domain(ctx)
	var found []service.Finding
	add := func(level service.Level, what, detail, remedy string) {
		found = append(found, service.Finding{Level: level, What: what, Detail: detail, Remedy: remedy})
	}
	text, exists, err := m.m.Tree.Read(l.plist)
	switch {
	case err != nil:
		add(service.Problem, "property list", err.Error(), "")
		return found
	case !exists:
		add(service.Problem, "property list", "there is no "+l.plist, "install the service")
		return found
	case !service.Marked(text):
		add(service.Warning, "property list", l.plist+" was made by another program", "install makes it anew")
	default:
		add(service.OK, "property list", l.plist, "")
	}
	if err := m.safe(m.m.Tree.Path(s.Executable), s.User); err != nil {
		level := service.Problem
		if errors.Is(err, service.ErrUnsafe) {
			level = service.Warning
		}
		add(level, "executable", err.Error(), "")
	} else {
		add(service.OK, "executable", s.Executable, "")
	}
	if account := m.account(s); account != "" {
		if _, err := m.ids(account); err != nil {
			add(service.Problem, "account", "there is no "+account, "make it, and install the service anew")
		} else {
			add(service.OK, "account", account, "")
		}
	}
	j, err := m.print(ctx, domain, name)
	if err != nil {
		add(service.Problem, "launchd", err.Error(), "")
		return found
	}
	disabled, _ := m.disabled(ctx, domain, name)
	switch {
	case j.loaded:
		add(service.OK, "launchd", fmt.Sprintf("%s/%s is loaded: %s", domain, name, j.state), "")
	case disabled:
		add(service.Note, "launchd", "it is disabled, and not started with the machine", "start it, or install it with another start type")
	default:
		add(service.Note, "launchd", "it is not loaded", "start it")
	}
	switch {
	case j.signal != "":
		add(service.Warning, "last end", "a signal: "+j.signal, "see the log, "+l.log)
	case j.code == 78:
		add(service.Problem, "last end", "exit code 78: the configuration is wrong, or launchd could not run the executable at all (privacy settings, a folder that is not there)", "see the log, "+l.log)
	case j.code > 0:
		add(service.Warning, "last end", "exit code "+strconv.Itoa(j.code), "see the log, "+l.log)
	}
	return found
}
