//go:build !linux

package upstart

import "github.com/go-glidepath/glidepath/internal/service"

// manager is never called, because this system has no Upstart.
func manager(service.Machine) service.Manager { return nil }
