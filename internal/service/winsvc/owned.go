package winsvc

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// recordKey returns the key with the record of what an installation has created and changed
// outside of the service. It is not below the key of the service: that key disappears with the
// service, perhaps before everything is removed or restored.
func recordKey(name string) string { return `SOFTWARE\Glidepath.` + name }

// The values of the record.
const (
	ownName   = "Folders"      // folders that install has created
	givenName = "GivenFolders" // folders that existed before, each with a tab and the descriptor that uninstall restores
	pathsName = "Paths"        // paths that the service may write to
	madeName  = "EventSource"  // the event source that install has created
)

// The names that earlier versions gave to GivenFolders and Paths, in parametersKey.
const (
	oldGivenName = "GlidepathFolders"
	oldPathsName = "GlidepathPaths"
)

// ledger holds the values of the record.
type ledger struct{ own, given, paths, source []string }

// readLedger reads the record of a service. The record need not exist.
func readLedger(a api, name string) (r ledger, err error) {
	for _, v := range []struct {
		to       *[]string
		is, from string
	}{{&r.own, ownName, ""}, {&r.given, givenName, oldGivenName}, {&r.paths, pathsName, oldPathsName}, {&r.source, madeName, ""}} {
		key := recordKey(name)
		value, err := a.ReadValue(key, v.is)
		if missing(err) && v.from != "" {
			key = parametersKey(name)
			value, err = a.ReadValue(key, v.from)
		}
		if err != nil && !missing(err) {
			return r, denied(`read HKLM\`+key, err)
		}
		*v.to = value.texts()
	}
	return r, nil
}

// claim records what the installation is about to create and change. It does that first, so that
// a removal finds everything even if the process is killed halfway.
func (a *applying) claim() error {
	own := slices.Clone(a.ledger.own)
	for _, dir := range a.folders {
		switch _, _, err := a.Security(dir); {
		case missing(err) && !slices.Contains(own, dir):
			own = append(own, dir)
		case err != nil && !missing(err):
			return denied("read who may use "+dir, err)
		}
	}
	if err := a.writeRecord(ownName, own, false); err != nil {
		return err
	}
	if err := a.writeRecord(givenName, a.ledger.given, false); err != nil {
		return err
	}
	if err := a.writeRecord(madeName, a.ledger.source, false); err != nil {
		return err
	}
	// The old paths stay in the record until their rights are revoked.
	return a.writeRecord(pathsName, unique(append(slices.Clone(a.ledger.paths), a.settings.Paths...)), false)
}

// writeRecord writes a value of the record. It writes an empty list only if that replaces another.
func (a *applying) writeRecord(name string, list []string, replaces bool) error {
	if len(list) == 0 && !replaces {
		return nil
	}
	if err := a.createKey(recordKey(a.name)); err != nil {
		return err
	}
	return a.writeValue(recordKey(a.name), name, multi(list))
}

// reserved returns an error for the name of a log. No event source can have that name: its
// records would be lost, or go to that log.
func (m *Manager) reserved(name string) error {
	for _, log := range []string{"Application", "System", "Security", "Setup", "ForwardedEvents"} {
		if strings.EqualFold(name, log) {
			return fmt.Errorf("%w: the service is called %s, which is the name of a Windows log: choose another Name", manage.ErrConfig, name)
		}
	}
	if _, err := m.api.ReadValue(logKey(name), "File"); err == nil {
		return fmt.Errorf("%w: the service is called %s, which is the name of a log on this machine: choose another Name", manage.ErrConfig, name)
	}
	return nil
}

// forget revokes the rights of the service and restores folders that existed before it. With
// purge, it removes the other folders. Finally, it removes from the record what is done. It calls
// did for each change.
func (m *Manager) forget(name string, r ledger, purge bool, did func(what string, err error)) error {
	sid, failed := serviceSID(name), false
	try := func(what string, err error) {
		failed = failed || err != nil && !missing(err)
		did(what, err)
	}
	for _, path := range r.paths {
		old, link, err := m.api.Security(path)
		switch {
		case missing(err) || link || err == nil && !parse(old).grants(sid):
			continue
		case err == nil:
			err = m.api.SetSecurity(path, parse(old).revoke(sid).String())
		}
		try("the right to write to "+path, err)
	}
	for _, before := range r.given { // SetSecurity follows no link
		dir, sddl, _ := strings.Cut(before, "\t")
		try("the right to "+dir, m.api.SetSecurity(dir, sddl))
	}
	if purge {
		m.purge(name, r.own, try)
	}
	switch {
	case failed:
		return nil // the record is needed to try again
	case purge || len(r.own) == 0:
		return denied("remove the record of what install has changed", gone(m.api.DeleteKey(recordKey(name))))
	}
	var errs []error
	for _, v := range []struct {
		name string
		list []string
	}{{givenName, r.given}, {pathsName, r.paths}, {madeName, r.source}} {
		if len(v.list) > 0 {
			errs = append(errs, gone(m.api.DeleteValue(recordKey(name), v.name)))
		}
	}
	return denied("remove the record of what install has changed", errors.Join(errs...))
}

// gone returns err, or nil if err says that what was to be removed does not exist.
func gone(err error) error {
	if missing(err) {
		return nil
	}
	return err
}

// purge removes the folders that an installation has created.
func (m *Manager) purge(name string, own []string, did func(what string, err error)) {
	all := m.below(name)
	if slices.Contains(own, all[0]) {
		all = all[:1] // it contains the others
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
		did("folder "+dir, err)
	}
}
