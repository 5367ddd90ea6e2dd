package winsvc

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/win32"
)

// session is a connection to the service control manager.
type session struct {
	api
	manager handle
}

// connect connects to the manager with the rights in access. The caller has to close the session.
func (m *Manager) connect(access uint32) (*session, error) {
	h, err := m.api.OpenManager(access)
	if err != nil {
		return nil, denied("connect to the service control manager", err)
	}
	return &session{m.api, h}, nil
}

func (s *session) close() { s.Close(s.manager) }

// open opens a service. It returns service.ErrNotInstalled if that does not exist.
func (s *session) open(name string, access uint32) (handle, error) {
	h, err := s.OpenService(s.manager, name, access)
	switch {
	case win32.Number(err) == win32.ErrorServiceDoesNotExist:
		return 0, fmt.Errorf("service %s: %w", name, service.ErrNotInstalled)
	case err != nil:
		return 0, denied("open service "+name, err)
	}
	return h, nil
}

// denied adds to err what was being done and, if rights are missing, the remedy.
func denied(what string, err error) error {
	if err == nil {
		return nil
	}
	if win32.Number(err) == win32.ErrorAccessDenied {
		return fmt.Errorf("%s: %w: run it as Administrator, from an elevated prompt", what, service.ErrPermission)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// levels lists all levels, in the order in which they are set.
var levels = []level{
	levelDescription, levelSID, levelPrivileges, levelFailureActions, levelNonCrash, levelPreshutdown, levelDelayed,
}

// read returns the settings of a service. h needs accessQueryConfig.
func (s *session) read(name string, h handle) (c settings, err error) {
	if c.config, err = s.QueryConfig(h); err != nil {
		return c, denied("read the configuration of service "+name, err)
	}
	c.lacks = map[level]bool{}
	for _, l := range levels {
		i, err := s.QueryInfo(h, l)
		switch {
		case win32.Number(err) == win32.ErrorInvalidLevel:
			c.lacks[l] = true
		case err != nil:
			return c, denied(fmt.Sprintf("read the configuration of service %s (level %d)", name, l), err)
		}
		c.set(l, i)
	}
	c.Environment, err = s.readTexts(serviceKey(name), "Environment")
	if err != nil {
		return c, err
	}
	r, err := readLedger(s.api, name)
	if err != nil {
		return c, err
	}
	c.Paths = r.paths
	mark, err := s.readTexts(parametersKey(name), markName)
	if len(mark) > 0 {
		c.Mark = mark[0]
	}
	return c, err
}

// readTexts reads a value of the registry that contains texts. The value need not exist.
func (s *session) readTexts(key, name string) ([]string, error) {
	v, err := s.ReadValue(key, name)
	if missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, denied(`read HKLM\`+key+`\`+name, err)
	}
	return v.texts(), nil
}

// missing reports whether err says that a file, a key or a value does not exist.
func missing(err error) bool {
	n := win32.Number(err)
	return n == win32.ErrorFileNotFound || n == win32.ErrorPathNotFound
}

// set sets the setting of a level to i.
func (c *settings) set(l level, i info) {
	switch l {
	case levelDescription:
		c.Description = i.Text
	case levelFailureActions:
		c.Failure = i.Failure
	case levelDelayed:
		c.Delayed = i.Flag
	case levelNonCrash:
		c.NonCrash = i.Flag
	case levelSID:
		c.SID = i.Number
	case levelPrivileges:
		c.Privileges = i.List
	case levelPreshutdown:
		c.Preshutdown = i.Number
	}
}

// get returns the setting of a level.
func (c *settings) get(l level) (i info) {
	switch l {
	case levelDescription:
		i.Text = c.Description
	case levelFailureActions:
		i.Failure = c.Failure
	case levelDelayed:
		i.Flag = c.Delayed
	case levelNonCrash:
		i.Flag = c.NonCrash
	case levelSID:
		i.Number = c.SID
	case levelPrivileges:
		i.List = c.Privileges
	case levelPreshutdown:
		i.Number = c.Preshutdown
	}
	return i
}

// equal reports whether i and o are equal.
func (i info) equal(o info) bool {
	return i.Text == o.Text && i.Flag == o.Flag && i.Number == o.Number && slices.Equal(i.List, o.List) &&
		i.Failure.Reset == o.Failure.Reset && slices.Equal(i.Failure.Actions, o.Failure.Actions)
}

// probe returns the levels that this version of Windows lacks. It asks for those of a service
// that every Windows has, because the service itself is not installed.
func (s *session) probe() map[level]bool {
	lacks := map[level]bool{}
	h, err := s.OpenService(s.manager, "RpcSs", accessQueryConfig)
	if err != nil {
		return lacks // Apply finds out
	}
	defer s.Close(h)
	for _, l := range levels {
		if _, err := s.QueryInfo(h, l); win32.Number(err) == win32.ErrorInvalidLevel {
			lacks[l] = true
		}
	}
	return lacks
}

// inspect reads the settings of a service, and its descriptor if security is set. It reports whether
// the service is installed.
func (s *session) inspect(name string, security bool) (c settings, present bool, err error) {
	access := uint32(accessQueryConfig)
	if security {
		access |= accessReadControl
	}
	h, err := s.open(name, access)
	switch {
	case errors.Is(err, service.ErrNotInstalled):
		return settings{lacks: s.probe()}, false, nil
	case err != nil:
		return c, false, err
	}
	defer s.Close(h)
	c, err = s.read(name, h)
	if err == nil && security {
		if c.Security, err = s.ServiceSecurity(h); err != nil {
			err = denied("read who may use service "+name, err)
		}
		c.Security = plain(c.Security)
	}
	return c, true, err
}

// Launches implements service.Launcher.
func (m *Manager) Launches(ctx context.Context, s manage.Spec) (file string, err error) {
	err = m.with(ctx, s, accessQueryConfig, func(scm *session, name string, h handle) error {
		c, err := scm.QueryConfig(h)
		if err != nil {
			return denied("read the configuration of service "+name, err)
		}
		file = executable(c.ImagePath)
		return nil
	})
	if errors.Is(err, service.ErrNotInstalled) {
		return "", nil
	}
	return file, err
}
