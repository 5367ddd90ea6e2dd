package winsvc

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service"
)

// recordKey has the record of what belongs to a service, in the value ownName: the folders
// that were not there before it was installed. It is not in the key of the service, for it
// outlives the service as long as the folders are there.
func recordKey(name string) string { return `SOFTWARE\Glidepath.` + name }

const ownName = "Folders"

// own returns the folders that belong to a service.
func (m *Manager) own(name string) ([]string, error) {
	v, err := m.api.ReadValue(recordKey(name), ownName)
	if err != nil && !missing(err) {
		return nil, denied(`read HKLM\`+recordKey(name), err)
	}
	return v.texts(), nil
}

// claim records the folders that are not there yet.
func (a *applying) claim() error {
	own := slices.Clone(a.own)
	for _, dir := range a.folders {
		switch _, _, err := a.Security(dir); {
		case missing(err) && !slices.Contains(own, dir):
			own = append(own, dir)
		case err != nil && !missing(err):
			return denied("read who may use "+dir, err)
		}
	}
	if len(own) == len(a.own) {
		return nil
	}
	if err := a.key(recordKey(a.name)); err != nil {
		return err
	}
	return a.write(recordKey(a.name), ownName, multi(own))
}

// ownSource reports whether an installation has made the source of events.
func (m *Manager) ownSource(name string) (bool, error) {
	v, err := m.api.ReadValue(eventKey(name), markName)
	if err != nil && !missing(err) {
		return false, denied(`read HKLM\`+eventKey(name), err)
	}
	return err == nil && slices.Equal(v.texts(), []string{service.Mark}), nil
}

// foreignSource reports whether there is a source of events of that name that belongs to
// another program. It is left as it is with force, and refused without.
func (m *Manager) foreignSource(name string, ours, force bool, warn func(string, ...any)) (theirs bool, err error) {
	own, err := m.ownSource(name)
	if err != nil || own || ours {
		return false, err
	}
	file, err := m.api.ReadValue(eventKey(name), "EventMessageFile")
	switch {
	case missing(err):
		return false, nil
	case err != nil:
		return false, denied(`read HKLM\`+eventKey(name), err)
	case !force:
		return false, fmt.Errorf("the event source %q, whose texts are in %s, %w: give the service another Name", name, strings.Join(file.texts(), ", "), service.ErrForeign)
	}
	warn("the event source %q, whose texts are in %s, belongs to another program: it is left as it is, and the event viewer shows what the service logs with those texts", name, strings.Join(file.texts(), ", "))
	return true, nil
}

// reserved fails for the name of a log, which no source can have: what is written to it
// would be lost, or go to that log.
func (m *Manager) reserved(name string) error {
	for _, log := range []string{"Application", "System", "Security", "Setup", "ForwardedEvents"} {
		if strings.EqualFold(name, log) {
			return fmt.Errorf("%w: the service is called %s, as a log of Windows is: choose another Name", service.ErrSpec, name)
		}
	}
	if _, err := m.api.ReadValue(logKey(name), "File"); err == nil {
		return fmt.Errorf("%w: the service is called %s, as a log of this Windows is: choose another Name", service.ErrSpec, name)
	}
	return nil
}

// purge removes the folders that belong to a service, and the record. did is told of each.
func (m *Manager) purge(name string, did func(what string, err error)) error {
	own, err := m.own(name)
	if err != nil || len(own) == 0 {
		return err
	}
	all, left := m.below(name), false
	if slices.Contains(own, all[0]) {
		all = all[:1] // the others are in it
	}
	for _, dir := range all {
		if !slices.Contains(own, dir) {
			continue
		}
		_, link, err := m.api.Security(dir)
		if err == nil && link {
			err = errors.New("it is a link")
		}
		if err == nil {
			err = m.api.RemoveAll(dir)
		}
		left = left || err != nil && !missing(err)
		did("folder "+dir, err)
	}
	if left {
		return nil
	}
	return denied("remove the record of its folders", m.api.DeleteKey(recordKey(name)))
}
