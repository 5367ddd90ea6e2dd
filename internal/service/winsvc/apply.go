package winsvc

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
	"github.com/go-glidepath/glidepath/internal/win32"
)

// Apply makes or changes the service. What this Windows turns out to lack is added to
// the warnings of the plan.
func (m *Manager) Apply(ctx context.Context, p *service.Plan) error {
	w, ok := p.Private.(wanted)
	if !ok {
		return errors.New("the plan is not of the service control manager of Windows")
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
	if err := a.all(); err != nil {
		if undo := a.change.Undo(); undo != nil {
			return errors.Join(err, fmt.Errorf("and what was done before could not all be taken back: %w", undo))
		}
		return err
	}
	return nil
}

// ask asks for the password, where one is needed. That of an account of the system is
// an empty one, and of a virtual or managed account there must be none (CreateService,
// lpPassword); nil leaves it as it is.
func (l logon) ask(account string) (*string, error) {
	switch {
	case kindOf(account) == bySystem:
		return new(string), nil
	case kindOf(account) != byPassword:
		return nil, nil
	case l.password == nil && l.needed:
		return nil, fmt.Errorf("account %s: %w: it needs a password", account, service.ErrSpec)
	case l.password == nil:
		return nil, nil
	}
	password, err := l.password()
	if err != nil {
		return nil, fmt.Errorf("ask for the password of account %s: %w", account, err)
	}
	return &password, nil
}

type applying struct {
	*session
	wanted
	ctx      context.Context
	plan     *service.Plan
	password *string
	change   *files.Change
	handles  []handle // open until all is done or undone
}

func (a *applying) all() error {
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

// The rights that setting needs: to restart is asked for by the recovery actions.
const accessConfigure = accessQueryConfig | accessChangeConfig | accessStart

func (a *applying) security() uint32 {
	if a.settings.Security == "" {
		return 0
	}
	return accessReadControl | accessWriteDAC
}

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

// open changes all but the account, which comes last: the password of the old one could
// not be put back.
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
		if err := a.level(h, levelDelayed, old); err != nil { // it goes only with automatic
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

func equalConfig(a, b config) bool {
	return a.Type == b.Type && a.Start == b.Start && a.ErrorControl == b.ErrorControl && a.ImagePath == b.ImagePath &&
		a.DisplayName == b.DisplayName && slices.Equal(a.Dependencies, b.Dependencies)
}

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

// level sets what is not as it should be, and what cannot be seen to be.
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

func (l level) String() string {
	return [...]string{
		"", "description", "recovery actions", "delayed start", "recovery from exit codes", "service SID", "required privileges", "time before a shutdown",
	}[l]
}

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

func (a *applying) mark() error {
	if err := a.key(parametersKey(a.name)); err != nil {
		return err
	}
	if err := a.setStart(); err != nil {
		return err
	}
	return a.write(parametersKey(a.name), markName, text(regString, a.settings.Mark))
}

func (a *applying) environment() error {
	return a.write(serviceKey(a.name), "Environment", multi(a.settings.Environment))
}

func (a *applying) source() error {
	if a.keepSource {
		return nil
	}
	if err := a.key(eventKey(a.name)); err != nil {
		return err
	}
	for _, v := range slices.Backward(sourceValues()) { // the mark first
		if err := a.write(eventKey(a.name), v.name, v.v); err != nil {
			return err
		}
	}
	return nil
}

func (a *applying) key(key string) error {
	made, err := a.CreateKey(key)
	if err != nil {
		return denied(`make HKLM\`+key, err)
	}
	if made {
		a.change.Call(func() error { return wrap(`delete HKLM\`+key, a.DeleteKey(key)) })
	}
	return nil
}

func (a *applying) write(key, name string, v value) error {
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

func (a *applying) makeFolders() error {
	wanted := folderSecurity(serviceSID(a.name))
	for _, dir := range a.folders {
		old, link, err := a.Security(dir)
		switch {
		case missing(err):
			if err := a.MakeFolder(dir, wanted); err != nil {
				return denied("make the folder "+dir, err)
			}
			a.change.Call(func() error { return wrap("remove the folder "+dir, a.RemoveFolder(dir)) })
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

// protect sets who may use a folder.
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

// grants lets the service write where it is to, and no more where it was to before.
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
	return a.note(pathsName, a.settings.Paths, len(a.ledger.paths) > 0)
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

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
