// Package systemd is the service manager systemd: that of the machine, or that of a
// user.
//
// A service is a unit, NAME.service, and a unit for each of its sockets,
// NAME-SOCKET.socket. Start types are:
//
//	automatic  enabled for multi-user.target, or the user's default.target
//	delayed    the same, ordered after that target
//	manual     not enabled; systemctl enable makes it automatic
//	disabled   cannot be enabled, nor started by hand (RefuseManualStart=yes): masking
//	           it would need the place of the unit file
//	socket     the sockets are enabled, and start the service
//
// A service with sockets that waits for somebody to connect is Stopped, with the
// detail that it is listened for.
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

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/system/command"
	"github.com/go-glidepath/glidepath/internal/service/system/safe"
)

// Manager is the systemd of the machine or of a user.
type Manager struct {
	machine service.Machine
	user    bool

	getenv func(string) string
	home   func() (string, error)
	uid    func() int
	links  func(file string) (string, error) // follows them
	safe   func(file string, user bool) error
	stream func(ctx context.Context, stdout, stderr io.Writer, name string, args ...string) error
}

var _ service.Manager = (*Manager)(nil)

// New returns the systemd of m, or, with user, that of the user whose process this is.
func New(m service.Machine, user bool) *Manager {
	return &Manager{
		machine: m, user: user,
		getenv: os.Getenv, home: os.UserHomeDir, uid: os.Getuid, links: filepath.EvalSymlinks, safe: safe.Executable, stream: command.Stream,
	}
}

// Name is "systemd".
func (*Manager) Name() string { return "systemd" }

// unitFolder is where the units are that an operator, or the user, has made.
func (m *Manager) unitFolder() (string, error) {
	if !m.user {
		return "/etc/systemd/system", nil
	}
	if base := m.getenv("XDG_CONFIG_HOME"); path.IsAbs(base) {
		return path.Join(base, "systemd/user"), nil
	}
	home, err := m.home()
	if err != nil {
		return "", fmt.Errorf("find the units of the user: %w", err)
	}
	return path.Join(home, ".config/systemd/user"), nil
}

// otherFolders are where units come from that nobody has made for this machine.
func (m *Manager) otherFolders() []string {
	if m.user {
		return []string{"/etc/systemd/user", "/run/systemd/user", "/usr/local/lib/systemd/user", "/usr/lib/systemd/user"}
	}
	return []string{"/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"}
}

// unitName is what systemctl calls the service.
func unitName(s service.Spec) string { return s.ServiceName() + ".service" }

// bareTemplate reports whether s is a template without an instance.
func bareTemplate(s service.Spec) bool { return s.Template && s.Instance == "" }

// requireInstance returns an error if s is a template without an instance.
func requireInstance(s service.Spec) error {
	if bareTemplate(s) {
		return fmt.Errorf("%w: %s is a template: say which instance (--instance NAME)", service.ErrSpec, s.Name)
	}
	return nil
}

// version is that of systemd, 0 if it does not say.
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

// systemctl asks systemd for something, and waits for that.
func (m *Manager) systemctl(ctx context.Context, args ...string) (string, error) {
	if m.user {
		args = append([]string{"--user"}, args...)
	}
	out, err := m.machine.Runner()(ctx, "systemctl", args...)
	return out, m.explain(err)
}

// explain says what to do about what systemctl or journalctl has complained of.
func (m *Manager) explain(err error) error {
	var e *command.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("%w: systemctl is not there, so systemd is not: %w", service.ErrNotSupported, err)
	case !errors.As(err, &e):
		return err
	}
	said := e.Stderr + e.Stdout
	has := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(said, p) {
				return true
			}
		}
		return false
	}
	switch {
	case has("has not been booted with systemd"):
		return fmt.Errorf("%w: systemd is installed, but does not run this machine", service.ErrNotSupported)
	case m.user && has("Failed to connect to"):
		if m.getenv("XDG_RUNTIME_DIR") == "" {
			return errors.New("the systemd of the user cannot be reached, as XDG_RUNTIME_DIR is not set: log on as that user, with ssh for one, instead of su or sudo; or set it to /run/user/UID after loginctl enable-linger USER")
		}
		return fmt.Errorf("the systemd of the user does not run: log on as that user, or have it run always with loginctl enable-linger: %s", oneLine(said))
	case has("Failed to connect to"):
		return fmt.Errorf("systemd cannot be reached: %s", oneLine(said))
	case has("nteractive authentication required", "Access denied", "Permission denied", "insufficient permissions", "not authorized"):
		return m.permissionError(errors.New(oneLine(said)))
	}
	short := *e
	short.Stdout, short.Stderr = oneLine(e.Stdout), oneLine(e.Stderr)
	return &short
}

// permissionError is an error for want of rights.
func (m *Manager) permissionError(err error) error {
	if m.user {
		return fmt.Errorf("%w: %w", service.ErrPermission, err)
	}
	return fmt.Errorf("%w: run it as root (sudo): %w", service.ErrPermission, err)
}

// fileError is what has gone wrong with files.
func (m *Manager) fileError(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return m.permissionError(err)
	}
	return err
}

// oneLine is text of several lines in one, without where systemctl says to look.
func oneLine(s string) string {
	var lines []string
	for l := range strings.Lines(s) {
		if l = strings.TrimSpace(l); l != "" && !strings.HasPrefix(l, "See ") && !strings.HasPrefix(l, "Hint: ") {
			lines = append(lines, l)
		}
	}
	return strings.Join(lines, "; ")
}
