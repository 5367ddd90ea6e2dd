package winsvc

import (
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/win32"
)

func (f *fake) CreateService(m handle, name string, access uint32, c config, password *string) (handle, error) {
	if err := f.call("CreateService %s %#x", name, access); err != nil {
		return 0, err
	}
	if err := f.manager(m, managerCreate); err != nil {
		return 0, err
	}
	if s := f.services[strings.ToLower(name)]; s != nil {
		if s.deleted {
			return 0, win32.ErrorServiceMarkedForDelete
		}
		return 0, win32.ErrorServiceExists
	}
	if err := f.valid(name, c); err != nil {
		return 0, err
	}
	secret, err := logsOn(name, c.Account, password)
	if err != nil {
		return 0, err
	}
	s := f.add(name, c)
	s.password = secret
	return f.open(access, s), nil
}

// valid checks a configuration as CreateService and ChangeServiceConfig do.
func (f *fake) valid(name string, c config) error {
	if name == "" || len(name) > 256 || strings.ContainsAny(name, `/\`) || c.ImagePath == "" || len(c.DisplayName) > 256 {
		return win32.ErrorInvalidParameter
	}
	if c.Type&typeInteractive != 0 && c.Account != localSystem {
		return win32.ErrorInvalidParameter // no other account can interact with the desktop
	}
	for other, s := range f.services {
		if other != strings.ToLower(name) && (strings.EqualFold(s.config.DisplayName, c.DisplayName) || strings.EqualFold(s.name, c.DisplayName)) {
			return win32.ErrorDuplicateServiceName
		}
	}
	seen := map[string]bool{}
	var needs func(list []string) bool
	needs = func(list []string) bool {
		for _, d := range list {
			d = strings.ToLower(d)
			if d == strings.ToLower(name) {
				return true
			}
			if s := f.services[d]; s != nil && !seen[d] {
				seen[d] = true
				if needs(s.config.Dependencies) {
					return true
				}
			}
		}
		return false
	}
	if needs(c.Dependencies) {
		return win32.ErrorCircularDependency
	}
	return nil
}

// logsOn checks an account and its password (CreateService, lpServiceStartName and lpPassword).
func logsOn(name, account string, password *string) (string, error) {
	lower := strings.ToLower(account)
	switch {
	case account == localSystem, account == localService, account == networkService:
		if password == nil || *password != "" {
			return "", win32.ErrorInvalidServiceAccount
		}
		return "", nil
	case strings.HasPrefix(lower, `nt service\`):
		if password != nil || lower != `nt service\`+strings.ToLower(name) {
			return "", win32.ErrorInvalidServiceAccount
		}
		return "", nil
	case strings.HasSuffix(account, "$") && strings.Contains(account, `\`) && account[0] != '.', strings.Contains(account, "$@"):
		if password != nil {
			return "", win32.ErrorInvalidServiceAccount
		}
		return "", nil
	case strings.ContainsAny(account, `\@`) && !strings.HasSuffix(account, `\nobody`) && password != nil:
		return *password, nil
	}
	return "", win32.ErrorInvalidServiceAccount
}

func (f *fake) DeleteService(h handle) error {
	if err := f.call("DeleteService"); err != nil {
		return err
	}
	s, err := f.service(h, accessDelete)
	switch {
	case err != nil:
		return err
	case s.deleted:
		return win32.ErrorServiceMarkedForDelete
	}
	s.deleted = true
	return nil
}

func (f *fake) QueryConfig(h handle) (config, error) {
	if err := f.call("QueryServiceConfig"); err != nil {
		return config{}, err
	}
	s, err := f.service(h, accessQueryConfig)
	if err != nil {
		return config{}, err
	}
	return s.config, nil
}

func (f *fake) ChangeConfig(h handle, c config) error {
	if err := f.call("ChangeServiceConfig"); err != nil {
		return err
	}
	s, err := f.service(h, accessChangeConfig)
	switch {
	case err != nil:
		return err
	case s.deleted:
		return win32.ErrorServiceMarkedForDelete
	}
	c.Account = s.config.Account
	if err := f.valid(s.name, c); err != nil {
		return err
	}
	s.config = c
	return nil
}

func (f *fake) ChangeAccount(h handle, account string, password *string) error {
	if err := f.call("ChangeServiceConfig %s", account); err != nil {
		return err
	}
	s, err := f.service(h, accessChangeConfig)
	switch {
	case err != nil:
		return err
	case s.deleted:
		return win32.ErrorServiceMarkedForDelete
	}
	secret, err := logsOn(s.name, account, password)
	if err != nil {
		return err
	}
	c := s.config
	c.Account = account
	if err := f.valid(s.name, c); err != nil {
		return err
	}
	s.config.Account, s.password = account, secret
	return nil
}

func (f *fake) QueryInfo(h handle, l level) (info, error) {
	if err := f.call("QueryServiceConfig2 %d", l); err != nil {
		return info{}, err
	}
	s, err := f.service(h, accessQueryConfig)
	switch {
	case err != nil:
		return info{}, err
	case f.lacks[l] || f.untold[l]:
		return info{}, win32.ErrorInvalidLevel
	}
	return s.infos[l], nil
}

func (f *fake) ChangeInfo(h handle, l level, i info) error {
	if err := f.call("ChangeServiceConfig2 %d", l); err != nil {
		return err
	}
	access := uint32(accessChangeConfig)
	if slices.ContainsFunc(i.Failure.Actions, func(a action) bool { return a.Type == actionRestart }) {
		access |= accessStart // "If the service controller handles the SC_ACTION_RESTART action, hService must have SERVICE_START"
	}
	s, err := f.service(h, access)
	switch {
	case err != nil:
		return err
	case s.deleted:
		return win32.ErrorServiceMarkedForDelete
	case f.lacks[l]:
		return win32.ErrorInvalidLevel
	case l == levelDelayed && i.Flag && s.config.Start != startAutomatic:
		return win32.ErrorInvalidParameter
	}
	s.infos[l] = i
	return nil
}

func (f *fake) ServiceSecurity(h handle) (string, error) {
	if err := f.call("QueryServiceObjectSecurity"); err != nil {
		return "", err
	}
	s, err := f.service(h, accessReadControl)
	if err != nil {
		return "", err
	}
	return strings.Replace(s.security, "D:", "D:AI", 1), nil // the flags are not kept
}

func (f *fake) SetServiceSecurity(h handle, sddl string) error {
	if err := f.call("SetServiceObjectSecurity %s", sddl); err != nil {
		return err
	}
	s, err := f.service(h, accessWriteDAC)
	if err != nil {
		return err
	}
	s.security = plain(sddl) // the manager ignores the flags
	return nil
}

func (f *fake) Privilege(name string) error {
	if err := f.call("LookupPrivilegeValue %s", name); err != nil {
		return err
	}
	if !manage.Privilege(name) && name != "SeNewPrivilege" {
		return win32.ErrorNoSuchPrivilege
	}
	return nil
}

func (f *fake) Canonical(sddl string) (string, error) {
	if err := f.call("ConvertStringSecurityDescriptorToSecurityDescriptor"); err != nil {
		return "", err
	}
	if len(sddl) < 2 || sddl[1] != ':' {
		return "", win32.ErrorInvalidParameter
	}
	return sddl, nil // a descriptor needs no DACL
}
