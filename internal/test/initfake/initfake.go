//go:build unix

// Package initfake is a machine in a folder, with the tools that service managers call, for
// tests.
package initfake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/command"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
)

// Machine is the folder.
type Machine struct {
	t     testing.TB
	Root  string
	Tools map[string]func(args []string) (string, error)
	Lines []string // what was called
	Fail  int      // the number of the call that fails, from 1; 0 for none
	Late  bool     // it fails when it has done its work

	PID  int  // of the last process that a tool has started
	Ends bool // the program ends at once
	HUPs int  // how often a tool was told to reload
}

// New makes a machine with accounts.
func New(t testing.TB) *Machine {
	m := at(t, t.TempDir())
	m.Write("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nwww:x:33:33:www:/var/www:/usr/sbin/nologin\n")
	m.Write("/etc/group", "root:x:0:\nwww:x:33:\n")
	m.Write("/usr/sbin/nologin", "")
	m.Write("/opt/web/web", "")
	for _, dir := range []string{"/etc/init.d", "/var/lib", "/var/cache", "/var/log", "/run"} {
		if err := os.MkdirAll(m.Path(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// at is the machine in a folder.
func at(t testing.TB, root string) *Machine {
	m := &Machine{t: t, Root: root, PID: 100}
	m.Tools = map[string]func([]string) (string, error){
		"useradd": func(args []string) (string, error) {
			name := args[len(args)-1]
			after := func(flag string) string { return args[slices.Index(args, flag)+1] }
			m.Write("/etc/passwd", m.Read("/etc/passwd")+fmt.Sprintf("%s:x:990:990:%s:%s:%s\n", name, after("--comment"), after("--home-dir"), after("--shell")))
			m.Write("/etc/group", m.Read("/etc/group")+name+":x:990:\n")
			return "", nil
		},
		"userdel": func(args []string) (string, error) {
			for _, file := range []string{"/etc/passwd", "/etc/group"} {
				m.Write(file, regexp.MustCompile(`(?m)^`+args[0]+`:.*\n`).ReplaceAllString(m.Read(file), ""))
			}
			return "", nil
		},
	}
	return m
}

// Service is the machine as a manager sees it.
func (m *Machine) Service() manage.Machine {
	return manage.Machine{Tree: files.Tree(m.Root), Run: m.run}
}

func (m *Machine) run(_ context.Context, name string, args ...string) (string, error) {
	line := strings.Join(append([]string{name}, args...), " ")
	tool, ok := m.Tools[name]
	if !ok {
		return "", fmt.Errorf("%s: %w", name, exec.ErrNotFound)
	}
	m.Lines = append(m.Lines, line)
	if len(m.Lines) == m.Fail {
		if m.Late {
			_, _ = tool(args)
		}
		return "", &command.Error{Line: line, Code: 1, Stderr: "as the test asks for"}
	}
	return tool(args)
}

// Path is where a file of the machine is.
func (m *Machine) Path(p string) string { return filepath.Join(m.Root, p) }

// Write makes a file, all of it at once, as the tools of a machine do.
func (m *Machine) Write(p, text string) {
	m.t.Helper()
	half := m.Root + ".half"
	if err := errors.Join(os.MkdirAll(filepath.Dir(m.Path(p)), 0o755), os.WriteFile(half, []byte(text), 0o644), os.Rename(half, m.Path(p))); err != nil {
		m.t.Fatal(err)
	}
}

// Link makes a symbolic link.
func (m *Machine) Link(p, to string) {
	m.t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(m.Path(p)), 0o755), os.Symlink(to, m.Path(p))); err != nil {
		m.t.Fatal(err)
	}
}

// Delete removes a file, or a folder with all that is in it.
func (m *Machine) Delete(p string) {
	m.t.Helper()
	if err := os.RemoveAll(m.Path(p)); err != nil {
		m.t.Fatal(err)
	}
}

// Tell counts a reload.
func (m *Machine) Tell(verb string) {
	if verb == "reload" {
		m.HUPs++
	}
}

// Read reads a file.
func (m *Machine) Read(p string) string {
	m.t.Helper()
	b, err := os.ReadFile(m.Path(p))
	if err != nil {
		m.t.Fatal(err)
	}
	return string(b)
}

// Snapshot is all that there is.
func (m *Machine) Snapshot() string {
	m.t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(m.Root, func(p string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Lstat(p)
		if err != nil {
			return err
		}
		text := ""
		switch {
		case info.Mode().IsRegular():
			read, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			text = string(read)
		case info.Mode()&fs.ModeSymlink != 0:
			if text, err = os.Readlink(p); err != nil {
				return err
			}
		}
		fmt.Fprintf(&b, "%s %v %q\n", strings.TrimPrefix(p, m.Root), info.Mode(), text)
		return nil
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return b.String()
}

// Web is a service that asks for little.
func Web() manage.Spec {
	return manage.Spec{
		Config: service.Config{
			Executable: "/opt/web/web",
			StartType:  service.Automatic,
			Recovery:   service.Recovery{Delays: []time.Duration{time.Second}, ResetPeriod: time.Minute},
			Hardening:  service.Hardening{Profile: service.Strict},
		},
		Name:        "web",
		DisplayName: "web",
		Description: "serves",
		StopTimeout: 30 * time.Second,
	}
}

// Specs are services of every kind, by the names of their golden files.
func Specs() map[string]manage.Spec {
	kinds := map[string]func(s *manage.Spec){
		"plain": func(*manage.Spec) {},
		"full": func(s *manage.Spec) {
			s.DisplayName, s.Description = `Web "Server"`, "serves $HOME, `id` and 'it'"
			s.Executable = "/opt/my web/wéb"
			s.Arguments = []string{"-addr", ":8080", "", "a  b", `it's "quoted" $HOME $(id) %s \ *`}
			s.Environment = map[string]string{"GREETING": `hello  'world' $x`, "PATH": "/bin:/opt/x y", "retry": "no", "EMPTY": ""}
			s.WorkingDirectory = "/srv/my data"
			s.Account = "www"
			s.Dependencies = []string{"network", "postgresql", "queue@1"}
			s.StartTimeout = time.Minute
			s.Limits = service.Limits{OpenFiles: 65536, Tasks: 100, Memory: 1 << 30, CPU: 1.5, LogRecords: 20_000}
			s.OpenRC.Depend = []string{"use dns logger", "before nginx"}
		},
		"low-ports": func(s *manage.Spec) { s.Hardening.Profile = service.LowPorts },
		"capabilities": func(s *manage.Spec) {
			s.Hardening.Capabilities = []string{"CAP_NET_ADMIN", "CAP_NET_RAW", "SeTcbPrivilege"}
		},
		"localhost":  func(s *manage.Spec) { s.Hardening.Profile = service.Localhost },
		"network":    func(s *manage.Spec) { s.Hardening.Profile = service.Network },
		"lenient":    func(s *manage.Spec) { s.Hardening.Profile = service.Lenient },
		"no-sandbox": func(s *manage.Spec) { s.Hardening.Profile = service.Unconfined },
		"root":       func(s *manage.Spec) { s.Account = "root" },
		"delayed":    func(s *manage.Spec) { s.StartType = service.Delayed },
		"manual":     func(s *manage.Spec) { s.StartType = service.Manual },
		"disabled":   func(s *manage.Spec) { s.StartType = service.Disabled },
		"never":      func(s *manage.Spec) { s.Recovery = service.Recovery{Never: true} },
		"instance":   func(s *manage.Spec) { s.Template, s.Instance = true, "blue" },
	}
	specs := map[string]manage.Spec{}
	for name, change := range kinds {
		s := Web()
		change(&s)
		specs[name] = s
	}
	return specs
}
