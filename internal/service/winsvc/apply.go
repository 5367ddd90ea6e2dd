package winsvc

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
	"github.com/go-glidepath/glidepath/internal/win32"
)

// Apply creates or changes the service. If this version of Windows turns out to lack a
// setting, Apply adds that to the warnings of the plan.
func (m *Manager) Apply(ctx context.Context, p *manage.Plan) error {
	w, ok := p.Private.(wanted)
	if !ok {
		return errors.New("the plan was made for another service manager")
	}
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	password, err := w.logon.ask(w.settings.Account)
	if err != nil {
		return err
	}
	access := uint32(managerConnect)
	if !w.installed {
		access |= managerCreate
	}
	scm, err := m.connect(access)
	if err != nil {
		return err
	}
	defer scm.close()
	a := &applying{session: scm, ctx: ctx, plan: p, wanted: w, password: password, change: files.Tree("").Begin(p.Spec.ServiceName())}
	defer func() {
		for _, h := range a.handles {
			scm.Close(h)
		}
	}()
	if err := a.run(); err != nil {
		if undo := a.change.Undo(); undo != nil {
			return errors.Join(err, fmt.Errorf("and not all earlier changes could be undone: %w", undo))
		}
		return err
	}
	return nil
}

// ask asks for the password if the account needs one. The password of a system account is
// empty, and a virtual or managed account must have none (CreateService, lpPassword). nil keeps
// the old password.
func (l logon) ask(account string) (*string, error) {
	switch {
	case kindOf(account) == bySystem:
		return new(string), nil
	case kindOf(account) != byPassword:
		return nil, nil
	case l.password == nil && l.needed:
		return nil, fmt.Errorf("account %s: %w: it needs a password", account, manage.ErrConfig)
	case l.password == nil:
		return nil, nil
	}
	password, err := l.password()
	if err != nil {
		return nil, fmt.Errorf("ask for the password of account %s: %w", account, err)
	}
	return &password, nil
}

// applying holds the state of one call of Apply. Its methods are the steps.
type applying struct {
	*session
	wanted
	ctx      context.Context
	plan     *manage.Plan
	password *string
	change   *files.Change
	handles  []handle // stay open until everything is done or undone
}

// run calls the steps in order. It stops when the context ends.
func (a *applying) run() error {
	steps := []func() error{a.claim, a.makeFolders, a.create, a.levels, a.secure, a.mark, a.environment, a.source, a.grants}
	if a.installed {
		steps = []func() error{a.claim, a.makeFolders, a.open, a.levels, a.secure, a.mark, a.environment, a.source, a.grants, a.logOn}
	}
	for _, step := range steps {
		if a.ctx.Err() != nil {
			return context.Cause(a.ctx)
		}
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// accessConfigure has the rights that changing a service needs. Setting the recovery actions
// needs the right to start it.
const accessConfigure = accessQueryConfig | accessChangeConfig | accessStart

// security returns the rights to read and set the descriptor of the service, if it is set.
func (a *applying) security() uint32 {
	if a.settings.Security == "" {
		return 0
	}
	return accessReadControl | accessWriteDAC
}

// create creates the service.
func (a *applying) create() error {
	h, err := a.CreateService(a.manager, a.name, accessConfigure|accessDelete|a.security(), a.settings.config, a.password)
	switch win32.Number(err) {
	case win32.NoError:
		if err != nil {
			return err
		}
	case win32.ErrorServiceMarkedForDelete:
		return fmt.Errorf("create service %s: %w", a.name, errHeld)
	default:
		return denied("create service "+a.name, err)
	}
	a.handles = append(a.handles, h)
	a.change.Call(func() error { return wrap("delete service "+a.name, a.DeleteService(h)) })
	return nil
}

// open changes everything except the account. That comes last, because the old account's
// password could not be restored.
func (a *applying) open() error {
	h, err := a.session.open(a.name, accessConfigure|a.security())
	if err != nil {
		return err
	}
	a.handles = append(a.handles, h)
	old, err := a.read(a.name, h)
	if err != nil {
		return err
	}
	if old.Delayed && !a.settings.Delayed {
		if err := a.level(h, levelDelayed, old); err != nil { // only an automatic start can be delayed
			return err
		}
	}
	c := a.settings.config
	c.Account = old.Account
	if equalConfig(c, old.config) {
		return nil
	}
	if err := a.ChangeConfig(h, c); err != nil {
		return denied("change service "+a.name, err)
	}
	a.change.Call(func() error { return wrap("change service "+a.name+" back", a.ChangeConfig(h, old.config)) })
	return nil
}

// equalConfig compares everything except the accounts.
func equalConfig(a, b config) bool {
	return a.Type == b.Type && a.Start == b.Start && a.ErrorControl == b.ErrorControl && a.ImagePath == b.ImagePath &&
		a.DisplayName == b.DisplayName && slices.Equal(a.Dependencies, b.Dependencies)
}

// levels sets what ChangeServiceConfig2 sets.
func (a *applying) levels() error {
	h := a.handles[0]
	old, err := a.read(a.name, h)
	if err != nil {
		return err
	}
	for _, l := range levels {
		if l == levelPreshutdown && a.settings.Preshutdown == 0 {
			continue
		}
		if err := a.level(h, l, old); err != nil {
			return err
		}
	}
	return nil
}

// level sets what differs from the wanted settings, and what Windows does not tell.
func (a *applying) level(h handle, l level, old settings) error {
	i, before := a.settings.get(l), old.get(l)
	if i.equal(before) && !old.lacks[l] || i.equal(info{}) && old.lacks[l] && l != levelFailureActions {
		return nil
	}
	err := a.ChangeInfo(h, l, i)
	switch {
	case win32.Number(err) == win32.ErrorInvalidLevel:
		if text := a.settings.lacking(l); text != "" && !slices.Contains(a.plan.Warnings, text) {
			a.plan.Warnings = append(a.plan.Warnings, text)
		}
		return nil
	case err != nil:
		return denied(fmt.Sprintf("configure service %s (%s)", a.name, l), err)
	}
	if !old.lacks[l] {
		a.change.Call(func() error {
			return wrap(fmt.Sprintf("configure service %s as before (%s)", a.name, l), a.ChangeInfo(h, l, before))
		})
	}
	return nil
}

// String returns what a level sets, for messages.
func (l level) String() string {
	return [...]string{
		"", "description", "recovery actions", "delayed start", "recovery from exit codes", "service SID", "required privileges", "time before a shutdown",
	}[l]
}

// secure sets who may use the service.
func (a *applying) secure() error {
	if a.settings.Security == "" {
		return nil
	}
	h := a.handles[0]
	old, err := a.ServiceSecurity(h)
	if err != nil {
		return denied("read who may use service "+a.name, err)
	}
	if plain(old) == a.settings.Security {
		return nil
	}
	if err := a.SetServiceSecurity(h, a.settings.Security); err != nil {
		return denied("set who may use service "+a.name, err)
	}
	a.change.Call(func() error {
		return wrap("set who may use service "+a.name+" as before", a.SetServiceSecurity(h, old))
	})
	return nil
}

// mark marks the service as ours, and records its start type.
func (a *applying) mark() error {
	if err := a.createKey(parametersKey(a.name)); err != nil {
		return err
	}
	if err := a.setStart(); err != nil {
		return err
	}
	return a.writeValue(parametersKey(a.name), markName, text(regString, a.settings.Mark))
}

// environment sets the variables of the service.
func (a *applying) environment() error {
	return a.writeValue(serviceKey(a.name), "Environment", multi(a.settings.Environment))
}

// source creates the event source, unless that belongs to another program.
func (a *applying) source() error {
	if a.keepSource {
		return nil
	}
	if err := a.createKey(eventKey(a.name)); err != nil {
		return err
	}
	for _, v := range slices.Backward(sourceValues()) { // the mark comes first
		if err := a.writeValue(eventKey(a.name), v.name, v.v); err != nil {
			return err
		}
	}
	return nil
}

// createKey creates a key of the registry if it does not exist.
func (a *applying) createKey(key string) error {
	made, err := a.CreateKey(key)
	if err != nil {
		return denied(`create HKLM\`+key, err)
	}
	if made {
		a.change.Call(func() error { return wrap(`delete HKLM\`+key, a.DeleteKey(key)) })
	}
	return nil
}

// writeValue writes a value of the registry if it differs.
func (a *applying) writeValue(key, name string, v value) error {
	old, err := a.ReadValue(key, name)
	switch {
	case err == nil && old.Kind == v.Kind && slices.Equal(old.Data, v.Data):
		return nil
	case err != nil && !missing(err):
		return denied(`read HKLM\`+key+`\`+name, err)
	}
	if err := a.WriteValue(key, name, v); err != nil {
		return denied(`write HKLM\`+key+`\`+name, err)
	}
	undo := func() error { return a.WriteValue(key, name, old) }
	if missing(err) {
		undo = func() error { return a.DeleteValue(key, name) }
	}
	a.change.Call(func() error { return wrap(`write HKLM\`+key+`\`+name+" back", undo()) })
	return nil
}

// makeFolders creates the folders of the service. It sets who may use those that exist.
func (a *applying) makeFolders() error {
	wanted := folderSecurity(serviceSID(a.name))
	for _, dir := range a.folders {
		old, link, err := a.Security(dir)
		switch {
		case missing(err):
			if err := a.MakeFolder(dir, wanted); err != nil {
				return denied("create folder "+dir, err)
			}
			a.change.Call(func() error { return wrap("remove folder "+dir, a.RemoveFolder(dir)) })
			continue
		case err != nil:
			return denied("read who may use "+dir, err)
		case link:
			return fmt.Errorf("%s is a link: %w: remove it", dir, service.ErrUnsafe)
		}
		if err := a.protect(dir, old, wanted); err != nil {
			return err
		}
	}
	return nil
}

// protect sets who may use a file or a folder.
func (a *applying) protect(path, old, wanted string) error {
	if o, w := parse(old), parse(wanted); o.words(nil) == w.words(nil) {
		return nil
	}
	if err := a.SetSecurity(path, wanted); err != nil {
		return denied("set who may use "+path, err)
	}
	a.change.Call(func() error { return wrap("set who may use "+path+" as before", a.SetSecurity(path, old)) })
	return nil
}

// grants lets the service write to the wanted paths, and no longer to the other paths that it
// could write to before.
func (a *applying) grants() error {
	sid := serviceSID(a.name)
	for _, path := range a.ledger.paths {
		if slices.Contains(a.settings.Paths, path) {
			continue
		}
		old, link, err := a.Security(path)
		switch {
		case missing(err) || err == nil && link:
			continue
		case err != nil:
			return denied("read who may use "+path, err)
		}
		if err := a.protect(path, old, parse(old).revoke(sid).String()); err != nil {
			return err
		}
	}
	for _, path := range a.settings.Paths {
		old, link, err := a.Security(path)
		switch {
		case err != nil:
			return denied("read who may use "+path, err)
		case link:
			return fmt.Errorf("%s is a link: %w", path, service.ErrUnsafe)
		case parse(old).none || parse(old).grants(sid):
			continue
		}
		if err := a.protect(path, old, parse(old).grant(sid).String()); err != nil {
			return err
		}
	}
	return a.writeRecord(pathsName, a.settings.Paths, len(a.ledger.paths) > 0)
}

// logOn changes the account.
func (a *applying) logOn() error {
	h := a.handles[0]
	c, err := a.QueryConfig(h)
	if err != nil {
		return denied("read the configuration of service "+a.name, err)
	}
	if sameAccount(c.Account, a.settings.Account) && (a.password == nil || kindOf(c.Account) != byPassword) {
		return nil
	}
	return denied("set the account of service "+a.name+" to "+a.settings.Account, a.ChangeAccount(h, a.settings.Account, a.password))
}

// wrap adds what was being done to err, if that is not nil.
func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
