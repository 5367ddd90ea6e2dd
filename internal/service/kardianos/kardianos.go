package kardianos

import "github.com/go-glidepath/glidepath/internal/service"

// Manager is a service.Manager.
type Manager struct {
	service.Manager
	m service.Machine
}

// New returns the manager that works on m.
func New(m service.Machine) *Manager { return &Manager{m: m} }
