package kardianos

import (
	kardianos "github.com/kardianos/service"
)

// What Detect tells apart, as kardianos/service names it.
const (
	Upstart = "linux-upstart"
	RCS     = "linux-rcs"
	SysV    = "unix-systemv"
)

// Detect is the manager of this machine that kardianos/service finds among those that
// leave no mark of their own: one of the constants above. It may run initctl --version.
func Detect() string {
	for _, s := range kardianos.AvailableSystems() {
		switch name := s.String(); name {
		case Upstart, RCS, SysV:
			if s.Detect() {
				return name
			}
		}
	}
	return ""
}
