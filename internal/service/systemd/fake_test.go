//go:build unix

package systemd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/command"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
)

// fake is a systemd as far as these tests need one. Its units are in a folder.
type fake struct {
	t     *testing.T
	root  string
	units string // where in root

	version string
	loaded  map[string]string            // unit → its text, as of the last daemon-reload
	active  map[string]string            // unit → ActiveState, "inactive" if there is none
	show    map[string]map[string]string // unit → properties that are shown instead
	calls   []string
	answer  func(call string) (out string, err error, ok bool) // before the fake itself
}

func newFake(t *testing.T, user bool) (*fake, *Manager) {
	f := &fake{
		t: t, root: t.TempDir(), units: "/etc/systemd/system", version: "systemd 257 (257.13-1~deb13u1)\n+PAM\n",
		loaded: map[string]string{}, active: map[string]string{}, show: map[string]map[string]string{},
	}
	m := New(manage.Machine{Tree: files.Tree(f.root), Run: f.run}, user)
	m.safe = func(string, bool) error { return nil }
	m.links = func(file string) (string, error) { _, err := os.Stat(file); return file, err }
	m.home = func() (string, error) { return "/home/me", nil }
	m.getenv = func(string) string { return "" }
	m.uid = func() int { return 1000 }
	m.stream = func(context.Context, io.Writer, io.Writer, string, ...string) error { return nil }
	if user {
		f.units = "/home/me/.config/systemd/user"
	}
	f.write("/usr/local/bin/web", "")
	if err := os.Chmod(f.path("/usr/local/bin/web"), 0o755); err != nil {
		t.Fatal(err)
	}
	return f, m
}

func (f *fake) path(p string) string { return filepath.Join(f.root, p) }

func (f *fake) write(p, text string) {
	f.t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(f.path(p)), 0o755), os.WriteFile(f.path(p), []byte(text), 0o644)); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fake) unit(name string) string { return f.units + "/" + name }

// snapshot returns everything below the root.
func (f *fake) snapshot() string {
	f.t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(f.root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		var content []byte
		if d.Type()&fs.ModeSymlink != 0 {
			target, _ := os.Readlink(p)
			content = []byte(target)
		} else if content, err = os.ReadFile(p); err != nil {
			return err
		}
		fmt.Fprintf(&all, "%s %s\n%s\n", strings.TrimPrefix(p, f.root), info.Mode(), content)
		return nil
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return all.String()
}

// refusal returns the error of a command that has printed said.
func refusal(code int, said string) error {
	return &command.Error{Line: "systemctl …", Code: code, Stderr: said}
}

func (f *fake) run(_ context.Context, name string, args ...string) (string, error) {
	call := name + " " + strings.Join(args, " ")
	f.calls = append(f.calls, call)
	if f.answer != nil {
		if out, err, ok := f.answer(call); ok {
			return out, err
		}
	}
	if name != "systemctl" {
		return "", nil
	}
	args = slices.DeleteFunc(slices.Clone(args), func(a string) bool { return a == "--user" || a == "--" })
	verb, rest := args[0], args[1:]
	switch verb {
	case "--version":
		return f.version, nil
	case "daemon-reload":
		clear(f.loaded)
	case "show":
		return f.showUnits(rest), nil
	case "enable":
		return "", f.enable(rest)
	case "disable":
		if rest[0] == "--runtime" {
			return "", f.disableRuntime(rest[1:])
		}
		return "", f.disable(rest)
	case "reenable":
		return "", errors.Join(f.disable(rest), f.enable(rest))
	case "start", "restart":
		for _, u := range rest {
			f.active[u] = "active"
		}
	case "stop":
		for _, u := range rest {
			f.active[u] = "inactive"
		}
	}
	return "", nil
}

// text returns the file of a unit. Instances have that of the template.
func (f *fake) text(unit string) (string, bool) {
	if before, rest, ok := strings.Cut(unit, "@"); ok {
		unit = before + "@" + rest[strings.LastIndex(rest, "."):]
	}
	b, err := os.ReadFile(f.path(f.unit(unit)))
	return string(b), err == nil
}

func (f *fake) enable(units []string) error {
	for _, u := range units {
		text, ok := f.text(u)
		if !ok {
			return refusal(1, "Failed to enable unit: Unit "+u+" does not exist")
		}
		for line := range strings.Lines(text) {
			if target, ok := strings.CutPrefix(line, "WantedBy="); ok {
				dir := f.path(f.unit(strings.TrimSpace(target) + ".wants"))
				if err := errors.Join(os.MkdirAll(dir, 0o755), os.Symlink(f.unit(u), filepath.Join(dir, u))); err != nil && !errors.Is(err, fs.ErrExist) {
					return err
				}
			}
		}
	}
	return nil
}

func (f *fake) links(unit string) []string {
	found, _ := filepath.Glob(f.path(f.unit("*.wants/" + unit)))
	return found
}

func (f *fake) disable(units []string) error {
	for _, u := range units {
		for _, l := range f.links(u) {
			if err := os.Remove(l); err != nil {
				return err
			}
			_ = os.Remove(filepath.Dir(l)) // as systemd does, if it is empty
		}
	}
	return nil
}

// runtimeLink is the link of systemctl enable --runtime.
func (f *fake) runtimeLink(unit string) string {
	return f.path("/run/systemd/system/multi-user.target.wants/" + unit)
}

func (f *fake) enableRuntime(unit string) {
	f.t.Helper()
	at := f.runtimeLink(unit)
	if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.Symlink(f.unit(unit), at)); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fake) disableRuntime(units []string) (err error) {
	for _, u := range units {
		if e := os.Remove(f.runtimeLink(u)); !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return err
}

func (f *fake) showUnits(args []string) string {
	var blocks []string
	for _, u := range slices.DeleteFunc(args, func(a string) bool { return strings.HasPrefix(a, "-") }) {
		text, exists := f.text(u)
		p := map[string]string{"Id": u, "LoadState": "not-found", "ActiveState": "inactive", "SubState": "dead", "Result": "success", "MainPID": "0"}
		if exists {
			p["LoadState"], p["FragmentPath"], p["UnitFileState"] = "loaded", f.unit(u), "static"
			if strings.Contains(text, "WantedBy=") {
				p["UnitFileState"] = "disabled"
			}
			if len(f.links(u)) > 0 {
				p["UnitFileState"] = "enabled"
			} else if _, err := os.Lstat(f.runtimeLink(u)); err == nil {
				p["UnitFileState"] = "enabled-runtime"
			}
			if strings.Contains(text, "RefuseManualStart=yes") {
				p["RefuseManualStart"] = "yes"
			}
		}
		if state := f.active[u]; state != "" {
			p["ActiveState"] = state
		}
		for name, value := range f.show[u] {
			p[name] = value
		}
		var b strings.Builder
		for name, value := range p {
			fmt.Fprintf(&b, "%s=%s\n", name, value)
		}
		blocks = append(blocks, b.String())
	}
	return strings.Join(blocks, "\n")
}

// changes returns the calls that change something.
func (f *fake) changes() []string {
	return slices.DeleteFunc(slices.Clone(f.calls), func(c string) bool {
		return strings.Contains(c, " show ") || strings.Contains(c, "--version") || strings.Contains(c, "list-units") || strings.HasPrefix(c, "getent")
	})
}

// wantError fails the test unless err wraps want, contains all the words and has one line.
func wantError(t *testing.T, err, want error, words ...string) {
	t.Helper()
	if err == nil || want != nil && !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("got %v, want %q in it", err, w)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("%q has more than one line", err)
	}
}

// lines returns what Diagnose has found, except what is in order.
func lines(found []manage.Finding) (lines []string) {
	for _, f := range found {
		if f.Level > manage.OK {
			lines = append(lines, fmt.Sprintf("%d %s: %s -> %s", f.Level, f.What, f.Detail, strings.ReplaceAll(f.Remedy, manage.Sudo(), "")))
		}
	}
	return lines
}

func install(t *testing.T, m *Manager, s manage.Spec) *manage.Plan {
	t.Helper()
	p, err := m.Plan(t.Context(), s, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Apply(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	return p
}

// machines are the states of a machine before an install.
var machines = map[string]func(*fake, *Manager){
	"nothing": func(*fake, *Manager) {},
	"an older one": func(f *fake, m *Manager) {
		install(f.t, m, web(func(s *manage.Spec) { s.Description = "older" }))
	},
	"one with other sockets": func(f *fake, m *Manager) {
		install(f.t, m, web(func(s *manage.Spec) {
			s.StartType = service.OnSocket
			s.Sockets = []service.Socket{{Name: "old", Network: "tcp", Address: ":1"}, {Name: "older", Network: "tcp", Address: ":2"}}
		}))
	},
	"one that is disabled": func(f *fake, m *Manager) { install(f.t, m, web(start(service.Disabled))) },
	"one of kardianos": func(f *fake, _ *Manager) {
		f.write(f.unit("web.service"), ofKardianos)
		_ = f.enable([]string{"web.service"})
	},
	"a link": func(f *fake, _ *Manager) {
		f.write(f.unit("x"), "")
		_ = os.Symlink("/srv/web.service", f.path(f.unit("web.service")))
	},
}

// ofKardianos is the least that counts as a unit of kardianos/service.
const ofKardianos = `[Unit]
Description=web
ConditionFileIsExecutable=/usr/local/bin/web

[Service]
StartLimitInterval=5
StartLimitBurst=10
ExecStart=/usr/local/bin/web
RestartSec=120
EnvironmentFile=-/etc/sysconfig/web

[Install]
WantedBy=multi-user.target
`

func systemFile(name string) string { return "/etc/systemd/system/" + name }
