// Package systemd installs and controls services with systemd: that of the machine, or that
// of a user.
//
// A service has the unit NAME.service, and for each of its sockets a unit
// NAME-SOCKET.socket. The start types are:
//
//	automatic  enabled for multi-user.target, or the user's default.target
//	delayed    the same, ordered after that target
//	manual     not enabled; systemctl enable makes it automatic
//	disabled   cannot be enabled or started by hand (RefuseManualStart=yes). It is not
//	           masked, because the mask would replace the unit file
//	socket     the sockets are enabled, and start the service
//
// A service whose sockets wait for a connection is Stopped, with the detail "listening".
package systemd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/command"
	"github.com/go-glidepath/glidepath/internal/service/system/safe"
)

// Manager drives the systemd of the machine or of a user.
type Manager struct {
	machine manage.Machine
	user    bool

	getenv func(string) string
	home   func() (string, error)
	uid    func() int
	links  func(file string) (string, error) // returns file with its links followed
	safe   func(file string, user bool) error
	stream func(ctx context.Context, stdout, stderr io.Writer, name string, args ...string) error
}

var _ manage.Manager = (*Manager)(nil)

// New returns a Manager for the systemd of m or, if user is set, for that of the user who
// runs this process.
func New(m manage.Machine, user bool) *Manager {
	return &Manager{
		machine: m, user: user,
		getenv: os.Getenv, home: os.UserHomeDir, uid: os.Getuid, links: filepath.EvalSymlinks, safe: safe.Executable, stream: command.Stream,
	}
}

// Name returns "systemd".
func (*Manager) Name() string { return "systemd" }

// unitFolder returns the folder for units that an operator, or the user, has created.
func (m *Manager) unitFolder() (string, error) {
	if !m.user {
		return "/etc/systemd/system", nil
	}
	if base := m.getenv("XDG_CONFIG_HOME"); path.IsAbs(base) {
		return path.Join(base, "systemd/user"), nil
	}
	home, err := m.home()
	if err != nil {
		return "", fmt.Errorf("find the user's units: %w", err)
	}
	return path.Join(home, ".config/systemd/user"), nil
}

// otherFolders returns the folders for units that come from elsewhere, such as packages.
func (m *Manager) otherFolders() []string {
	if m.user {
		return []string{"/etc/systemd/user", "/run/systemd/user", "/usr/local/lib/systemd/user", "/usr/lib/systemd/user"}
	}
	return []string{"/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"}
}

// unitName returns the name that systemctl has for the service.
func unitName(s manage.Spec) string { return s.ServiceName() + ".service" }

// bareTemplate reports whether s is a template without an instance.
func bareTemplate(s manage.Spec) bool { return s.Template && s.Instance == "" }

// requireInstance returns an error if s is a template without an instance.
func requireInstance(s manage.Spec) error {
	if bareTemplate(s) {
		return fmt.Errorf("%w: %s is a template: choose an instance with --instance NAME", manage.ErrConfig, s.Name)
	}
	return nil
}

// version returns the version of systemd, or 0 if it cannot be told.
func (m *Manager) version(ctx context.Context) (int, error) {
	out, err := m.systemctl(ctx, "--version")
	if err != nil {
		return 0, err
	}
	// "systemd 257 (257.13-1~deb13u1)"
	words := strings.Fields(out)
	if len(words) < 2 || words[0] != "systemd" {
		return 0, nil
	}
	digits, _, _ := strings.Cut(words[1], "~") // of a release candidate
	digits, _, _ = strings.Cut(digits, ".")
	n, err := strconv.Atoi(digits)
	if err != nil || n < 200 {
		return 0, nil
	}
	return n, nil
}

// systemctl runs systemctl, waits for it and returns its output.
func (m *Manager) systemctl(ctx context.Context, args ...string) (string, error) {
	if m.user {
		args = append([]string{"--user"}, args...)
	}
	out, err := m.machine.Runner()(ctx, "systemctl", args...)
	return out, m.explain(err)
}

// explain turns an error of systemctl or journalctl into one that says what to do.
func (m *Manager) explain(err error) error {
	var e *command.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("%w: systemctl not found, so systemd is not installed: %w", service.ErrNotSupported, err)
	case !errors.As(err, &e):
		return err
	}
	output := e.Stderr + e.Stdout
	contains := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(output, p) {
				return true
			}
		}
		return false
	}
	switch {
	case contains("has not been booted with systemd"):
		return fmt.Errorf("%w: systemd is installed but does not run this machine", service.ErrNotSupported)
	case m.user && contains("Failed to connect to"):
		if m.getenv("XDG_RUNTIME_DIR") == "" {
			return errors.New("cannot connect to the user's systemd: XDG_RUNTIME_DIR is not set; log in as that user (for example with ssh, not with su or sudo), or run loginctl enable-linger USER and set XDG_RUNTIME_DIR=/run/user/UID")
		}
		return fmt.Errorf("the user's systemd is not running: log in as that user, or keep it running with loginctl enable-linger: %s", oneLine(output))
	case contains("Failed to connect to"):
		return fmt.Errorf("cannot connect to systemd: %s", oneLine(output))
	case contains("nteractive authentication required", "Access denied", "Permission denied", "insufficient permissions", "not authorized"):
		return m.permissionError(errors.New(oneLine(output)))
	}
	short := *e
	short.Stdout, short.Stderr = oneLine(e.Stdout), oneLine(e.Stderr)
	return &short
}

// permissionError returns an error for missing rights.
func (m *Manager) permissionError(err error) error {
	if m.user {
		return fmt.Errorf("%w: %w", service.ErrPermission, err)
	}
	return fmt.Errorf("%w: run it as root (sudo): %w", service.ErrPermission, err)
}

// fileError returns err, as a permissionError if it is about permissions.
func (m *Manager) fileError(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return m.permissionError(err)
	}
	return err
}

// oneLine joins lines into one, without those in which systemctl says where to look.
func oneLine(s string) string {
	var lines []string
	for l := range strings.Lines(s) {
		if l = strings.TrimSpace(l); l != "" && !strings.HasPrefix(l, "See ") && !strings.HasPrefix(l, "Hint: ") {
			lines = append(lines, l)
		}
	}
	return strings.Join(lines, "; ")
}
