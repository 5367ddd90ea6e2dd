package winsvc

import "github.com/go-glidepath/glidepath/internal/service"

// startName is the value with the start type that install has set last. Where the service
// has another one, somebody has chosen that since.
const startName = "GlidepathStart"

// stay leaves the start type as somebody has set it since the service was installed. A note
// of p says so.
func (m *Manager) stay(p *service.Plan, w *settings, have settings, name string) error {
	last, err := m.api.ReadValue(parametersKey(name), startName)
	switch {
	case missing(err):
		return nil
	case err != nil:
		return denied(`read HKLM\`+parametersKey(name), err)
	}
	set := last.texts()
	now, want := have.config.Start, w.config.Start
	switch {
	case len(set) == 0 || set[0] == startType(now) || now == want:
		return nil
	case p.Spec.Enable && now > want: // automatic, when asked to, disabled
		return nil
	}
	w.config.Start, w.Delayed = now, have.Delayed
	note := "its start type stays " + startType(now) + ", as somebody has set it since it was installed"
	if now > want {
		note += "; --enable sets it again"
	}
	p.Notes = append(p.Notes, note)
	return nil
}

// setStart writes down which start type install wants.
func (a *applying) setStart() error {
	wanted := service.Automatic
	if s := a.plan.Spec.Start; s == service.Manual || s == service.Disabled {
		wanted = s
	}
	return a.write(parametersKey(a.name), startName, text(regString, string(wanted)))
}
