// Package upstart installs services of Upstart, the init of Ubuntu before 15.04 and of Red
// Hat Enterprise Linux 6, with the help of kardianos/service:
//
//	daemon.Config{Service: service.Config{Managers: []service.Manager{upstart.Manager()}}}
//
// A program needs it only if it has to be installed there. Whenever a program that contains
// kardianos/service starts, it looks for the init of the machine, if necessary by running a
// command. That is why only programs that import this package contain it. The command
// install warns about settings that a job of Upstart does not have. On systems other than
// Linux the package is empty.
package upstart

import (
	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/detect"
)

// Manager returns Upstart, for Service.Managers. It has no effect on machines with another
// init.
func Manager() service.Manager {
	return detect.Extra{Name: detect.Upstart, New: manager}
}
