package winsvc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// sourceValues returns the values of a source of the Application log.
func sourceValues() []struct {
	name string
	v    value
} {
	return []struct {
		name string
		v    value
	}{
		{"CustomSource", dword(1)},
		{"EventMessageFile", text(regExpand, eventMessages)},
		{"TypesSupported", dword(eventTypes)},
		{markName, text(regString, manage.Mark)},
	}
}

// source returns the event source, as it is and as it will be.
func (m *Manager) source(name string) (a manage.Artefact, err error) {
	a = manage.Artefact{Name: fmt.Sprintf("event source %q", name), Wanted: true}
	for _, wanted := range sourceValues() {
		v, err := m.api.ReadValue(eventKey(name), wanted.name)
		switch {
		case err == nil:
			a.Present = true
			a.Old += wanted.name + ": " + v.words() + "\n"
		case !missing(err):
			return a, denied(`read HKLM\`+eventKey(name), err)
		}
		a.New += wanted.name + ": " + wanted.v.words() + "\n"
	}
	return a, nil
}

// words returns the value as text.
func (v value) words() string {
	if v.Kind == regDWord && len(v.Data) == 4 {
		return fmt.Sprintf("%d", uint32(v.Data[0])|uint32(v.Data[1])<<8|uint32(v.Data[2])<<16|uint32(v.Data[3])<<24)
	}
	return strings.Join(v.texts(), ", ")
}

// ownSource reports whether the event source was created by an installation.
func (m *Manager) ownSource(name string) (bool, error) {
	v, err := m.api.ReadValue(eventKey(name), markName)
	if err != nil && !missing(err) {
		return false, denied(`read HKLM\`+eventKey(name), err)
	}
	return err == nil && slices.Equal(v.texts(), []string{manage.Mark}), nil
}

// forgetSource removes the event source if an installation has created it, or has begun to.
func (m *Manager) forgetSource(name string, r ledger, did func(what string, err error)) {
	own, err := m.ownSource(name)
	if err == nil && !own && len(r.source) > 0 {
		_, err = m.api.ReadValue(eventKey(name), "EventMessageFile")
		own = missing(err)
	}
	if own {
		err = m.api.DeleteKey(eventKey(name))
	}
	if own || err != nil {
		did(fmt.Sprintf("event source %q", name), err)
	}
}

// foreignSource reports whether an event source of this name belongs to another program. It
// is left as it is with force, and refused without.
func (p *planner) foreignSource() (bool, error) {
	own, err := p.manager.ownSource(p.name)
	if err != nil || own || p.ours() {
		return false, err
	}
	file, err := p.ReadValue(eventKey(p.name), "EventMessageFile")
	texts := strings.Join(file.texts(), ", ")
	switch {
	case missing(err):
		return false, nil
	case err != nil:
		return false, denied(`read HKLM\`+eventKey(p.name), err)
	case !p.force:
		return false, fmt.Errorf("the event source %q, whose texts are in %s, %w: give the service another Name", p.name, texts, service.ErrForeign)
	}
	p.warn("the event source %q, whose texts are in %s, belongs to another program: it is not changed, and Event Viewer shows the log of the service with those texts", p.name, texts)
	return true, nil
}
