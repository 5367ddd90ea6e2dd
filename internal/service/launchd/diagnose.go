package launchd

import (
	"context"
	"fmt"
	"strconv"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/onefile"
)

// Diagnose implements service.Manager.
func (m *Manager) Diagnose(ctx context.Context, s service.Spec) []service.Finding {
	name := s.ServiceName()
	l := m.layout(name)
	domain := m.domain(ctx)
	found := onefile.Examine(m.m.Tree, l.plist, s, m.safe)
	if len(found) == 1 {
		return found
	}
	add := func(level service.Level, what, detail, remedy string) {
		found = append(found, service.Finding{Level: level, What: what, Detail: detail, Remedy: remedy})
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
