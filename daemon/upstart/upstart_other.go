//go:build !linux

package upstart

import "github.com/go-glidepath/glidepath/internal/service/manage"

// manager is never called, because this system has no Upstart.
func manager(manage.Machine) manage.Manager { return nil }
