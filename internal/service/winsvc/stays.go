package winsvc

import (
	"github.com/go-glidepath/glidepath/daemon/service"
)

// startName is the name of the value with the start type that install set last. If the service
// has a different one, somebody has changed it since.
const startName = "GlidepathStart"

// keepStart keeps the start type that somebody has set since the service was installed. A
// note of the plan says so.
func (p *planner) keepStart() error {
	if !p.present || p.have.Mark == "" {
		return nil
	}
	last, err := p.ReadValue(parametersKey(p.name), startName)
	switch {
	case missing(err):
		return nil
	case err != nil:
		return denied(`read HKLM\`+parametersKey(p.name), err)
	}
	set := last.texts()
	now, want := p.have.config.Start, p.want.config.Start
	switch {
	case len(set) == 0 || set[0] == startType(now) || now == want:
		return nil
	case p.plan.Spec.Enable && now > want: // --enable sets only a type that starts the service more often
		return nil
	}
	p.want.config.Start, p.want.Delayed = now, p.have.Delayed
	note := "its start type stays " + startType(now) + ", because it was changed after the installation"
	if now > want {
		note += "; use --enable to set it again"
	}
	p.plan.Notes = append(p.plan.Notes, note)
	return nil
}

// setStart records the start type that install sets.
func (a *applying) setStart() error {
	wanted := service.Automatic
	if s := a.plan.Spec.StartType; s == service.Manual || s == service.Disabled {
		wanted = s
	}
	return a.writeValue(parametersKey(a.name), startName, text(regString, string(wanted)))
}
