package winsvc

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service"
)

// recordKey has the record of what an installation has made and changed outside of the
// service. It is not in the key of the service, which goes with the service: whatever is
// not removed or given back by then has to be remembered.
func recordKey(name string) string { return `SOFTWARE\Glidepath.` + name }

// The values of the record.
const (
	ownName   = "Folders"      // that install has made
	givenName = "GivenFolders" // that were there before, each with a tab and its descriptor, for uninstall to give back
	pathsName = "Paths"        // that the service was let write to
	madeName  = "EventSource"  // that install has made
)

// Where earlier versions have recorded the last two: in parametersKey.
const (
	oldGivenName = "GlidepathFolders"
	oldPathsName = "GlidepathPaths"
)

// ledger is what the record says.
type ledger struct{ own, given, paths, source []string }

// readLedger reads the record of a service. There may be none.
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

// claim records what the installation is about to make and to change, before it does: a
// process that is killed halfway leaves nothing that a removal does not find.
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
	if err := a.note(ownName, own, false); err != nil {
		return err
	}
	if err := a.note(givenName, a.ledger.given, false); err != nil {
		return err
	}
	if err := a.note(madeName, a.ledger.source, false); err != nil {
		return err
	}
	// Those of before are among them until their rights are revoked.
	return a.note(pathsName, unique(append(slices.Clone(a.ledger.paths), a.settings.Paths...)), false)
}

// note writes a value of the record; an empty one only if there is one to replace.
func (a *applying) note(name string, list []string, replaces bool) error {
	if len(list) == 0 && !replaces {
		return nil
	}
	if err := a.key(recordKey(a.name)); err != nil {
		return err
	}
	return a.write(recordKey(a.name), name, multi(list))
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

// forget revokes the rights that the service had, gives back folders that were there before
// it, and with purge removes those that were not; then it removes the record of what is
// done. did is told of each.
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
		return nil // what has failed is still to be done
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

// gone is err, unless that says that what was to go is not there.
func gone(err error) error {
	if missing(err) {
		return nil
	}
	return err
}

// purge removes the folders of a service that belong to it.
func (m *Manager) purge(name string, own []string, did func(what string, err error)) {
	all := m.below(name)
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
		did("folder "+dir, err)
	}
}
