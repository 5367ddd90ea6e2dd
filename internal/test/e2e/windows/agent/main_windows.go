// Agent is a client of the service control manager, for tests that run outside of
// Windows. It serves until its standard input ends.
package main

import (
	"errors"
	"fmt"
	"io"
	"net/rpc"
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc/mgr"

	"github.com/go-glidepath/glidepath/internal/test/e2e/windows/control"
)

func main() {
	manager, err := newManager()
	if err == nil {
		server := rpc.NewServer()
		err = server.Register(manager)
		server.ServeConn(struct {
			io.Reader
			io.WriteCloser
		}{os.Stdin, os.Stdout})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Manager is the service that the tests call.
type Manager struct {
	scm      *mgr.Mgr
	starting sync.Mutex
}

func newManager() (*Manager, error) {
	scm, err := mgr.Connect()
	if err != nil {
		return nil, fmt.Errorf("connect to the service control manager: %w", err)
	}
	return &Manager{scm: scm}, nil
}

// Create makes a service.
func (m *Manager) Create(s control.Service, _ *struct{}) error {
	service, err := m.scm.CreateService(s.Name, s.Path, mgr.Config{}, s.Args...)
	if err != nil {
		return fmt.Errorf("create service %s: %w", s.Name, err)
	}
	return service.Close()
}

// Delete marks a service for deletion.
func (m *Manager) Delete(name string, _ *struct{}) error {
	return m.with(name, func(s *mgr.Service) error { return s.Delete() })
}

// Start starts a service and returns as soon as the manager does.
func (m *Manager) Start(s control.Start, a *control.Answer) error {
	return m.with(s.Name, func(service *mgr.Service) (err error) {
		// The manager starts one service at a time and keeps others waiting for three
		// seconds at most. One that it starts by itself, to recover, is in the way too.
		m.starting.Lock()
		defer m.starting.Unlock()
		for range 10 {
			err = service.Start(s.Args...)
			if !errors.Is(err, windows.ERROR_SERVICE_DATABASE_LOCKED) {
				break
			}
		}
		a.Errno = errno(err)
		a.Status, err = query(service)
		return err
	})
}

// Control sends a control.
func (m *Manager) Control(c control.Control, a *control.Answer) error {
	return m.with(c.Name, func(service *mgr.Service) error {
		*a = send(service, c.Code)
		return nil
	})
}

// Query asks for the status.
func (m *Manager) Query(name string, s *control.Status) error {
	return m.with(name, func(service *mgr.Service) (err error) {
		*s, err = query(service)
		return err
	})
}

// Await looks again and again until the service is in the state, and returns every
// status that it has seen on the way.
func (m *Manager) Await(a control.Await, seen *[]control.Status) error {
	return m.with(a.Name, func(service *mgr.Service) error {
		for deadline := time.Now().Add(a.Bound); ; time.Sleep(time.Millisecond) {
			now, err := query(service)
			if err != nil {
				return err
			}
			if n := len(*seen); n == 0 || (*seen)[n-1] != now {
				*seen = append(*seen, now)
			}
			if now.State == a.State {
				return nil
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("service %s is not in state %d after %s: %+v", a.Name, a.State, a.Bound, *seen)
			}
		}
	})
}

// Storm sends many controls.
func (m *Manager) Storm(s control.Storm, r *control.Stormed) error {
	r.Errnos = map[uint32]int{}
	return m.with(s.Name, func(service *mgr.Service) error {
		for i := range s.Times {
			begun := time.Now()
			a := send(service, s.Codes[i%len(s.Codes)])
			r.Took = append(r.Took, time.Since(begun))
			r.Errnos[a.Errno]++
		}
		return nil
	})
}

// Preshutdown sets how long the system waits for the service.
func (m *Manager) Preshutdown(p control.Preshutdown, _ *struct{}) error {
	return m.with(p.Name, func(service *mgr.Service) error {
		ms := uint32(p.Timeout.Milliseconds())
		return windows.ChangeServiceConfig2(service.Handle, windows.SERVICE_CONFIG_PRESHUTDOWN_INFO, (*byte)(unsafe.Pointer(&ms)))
	})
}

func (m *Manager) with(name string, do func(*mgr.Service) error) error {
	service, err := m.scm.OpenService(name)
	if err != nil {
		return fmt.Errorf("open service %s: %w", name, err)
	}
	return errors.Join(do(service), service.Close())
}

func send(service *mgr.Service, code uint32) control.Answer {
	var s windows.SERVICE_STATUS
	err := windows.ControlService(service.Handle, code, &s)
	return control.Answer{Errno: errno(err), Status: control.Status{
		State: s.CurrentState, Accepted: s.ControlsAccepted, ExitCode: s.Win32ExitCode, SpecificCode: s.ServiceSpecificExitCode,
		CheckPoint: s.CheckPoint, WaitHint: time.Duration(s.WaitHint) * time.Millisecond,
	}}
}

// query is QueryServiceStatusEx; that of mgr drops checkpoint and hint.
func query(service *mgr.Service) (control.Status, error) {
	var s windows.SERVICE_STATUS_PROCESS
	var needed uint32
	err := windows.QueryServiceStatusEx(service.Handle, windows.SC_STATUS_PROCESS_INFO,
		(*byte)(unsafe.Pointer(&s)), uint32(unsafe.Sizeof(s)), &needed)
	if err != nil {
		return control.Status{}, fmt.Errorf("query service %s: %w", service.Name, err)
	}
	return control.Status{
		State: s.CurrentState, Accepted: s.ControlsAccepted, ExitCode: s.Win32ExitCode, SpecificCode: s.ServiceSpecificExitCode,
		CheckPoint: s.CheckPoint, WaitHint: time.Duration(s.WaitHint) * time.Millisecond, PID: s.ProcessId,
	}, nil
}

func errno(err error) uint32 {
	var no syscall.Errno
	if errors.As(err, &no) {
		return uint32(no)
	}
	return 0
}
