package daemon

import (
	"cmp"
	"slices"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

const (
	defaultResetPeriod = 10 * time.Minute
	preshutdownMargin  = 2 * time.Second // one second of it is for the run itself, see the budgets in the package comment
)

// spec returns the Spec of the service for its manager.
func (c Config) spec(p Program, executable string, args []string) (manage.Spec, error) {
	c, err := c.complete(p, place{})
	if err != nil {
		return manage.Spec{}, err
	}
	v := c.Service
	s := manage.Spec{
		Config: v,
		Name:   c.Name, DisplayName: c.DisplayName, Description: c.Description, Version: c.Version,
		StartTimeout: c.StartTimeout, StopTimeout: c.StopTimeout, Preshutdown: c.Windows.Preshutdown,
	}
	s.Arguments = slices.Concat(v.Arguments, args)
	_, s.CanPause = p.(Pauser)
	fill(&s, executable)
	if err := s.Check(); err != nil {
		return s, err
	}
	return s, nil
}

// fill sets the documented defaults of empty fields.
func fill(s *manage.Spec, executable string) {
	s.Executable = cmp.Or(s.Executable, executable)
	s.Description = cmp.Or(s.Description, s.DisplayName)
	s.StartType = cmp.Or(s.StartType, service.Automatic)
	s.Hardening.Profile = cmp.Or(s.Hardening.Profile, service.Strict)
	s.Recovery.ResetPeriod = cmp.Or(s.Recovery.ResetPeriod, defaultResetPeriod)
	if len(s.Recovery.Delays) == 0 {
		s.Recovery.Delays = []time.Duration{
			time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute,
		}
	}
	if s.Preshutdown {
		s.Windows.PreshutdownTimeout = cmp.Or(s.Windows.PreshutdownTimeout, s.StopTimeout+preshutdownMargin)
	}
}
