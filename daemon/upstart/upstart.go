// Package upstart has services of Upstart, the init of Ubuntu before 15.04 and of
// Red Hat Enterprise Linux 6, registered by kardianos/service:
//
//	daemon.Service{Managers: []daemon.ServiceManager{upstart.Manager()}}
//
// It is for programs that have to be installed there. kardianos/service looks for the
// init of the machine whenever a program that contains it starts, by running a command
// if need be; so only the programs that ask for it contain it. What its job cannot carry
// of a Config is in the warnings of install. On other systems than Linux it contains nothing.
package upstart

import (
	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/internal/service/detect"
)

// Manager is what Service.Managers wants. On a machine that Upstart does not run it
// means nothing.
func Manager() daemon.ServiceManager {
	return daemon.ServiceManager{Name: detect.Upstart, New: manager}
}
