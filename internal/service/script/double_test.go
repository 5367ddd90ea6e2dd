//go:build unix

package script

import (
	"context"
	"errors"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/account"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
	"github.com/go-glidepath/glidepath/internal/test/initfake"
	"github.com/go-glidepath/glidepath/internal/test/managertest"
)

// forTest makes m one for root on a machine where nobody owns anything.
func forTest(m *Manager) *Manager {
	m.UID = 0
	m.Safe = func(string, bool) error { return nil }
	m.Chown = func(string, int, int) error { return nil }
	m.OwnerOf = func(string) (int, bool) { return 0, false }
	return m
}

// known returns an account of every name.
func known(_ context.Context, name string) (account.Account, bool, error) {
	return account.Account{Name: name, Group: name, UID: os.Getuid(), GID: os.Getgid()}, true, nil
}

// double is a manager with a machine in a folder, whose init is a double.
type double struct {
	*Manager
	tree files.Tree
	spec manage.Spec

	enable  func(bool)                    // does what an operator does
	pid     func() int                    // of the last process that the init has started
	hups    func() int                    // how often the program was told to reload
	ends    func()                        // makes the program end at once
	ended   string                        // what an error says of that
	removed int                           // how many things a removal with purge removes
	left    func() string                 // what the init still knows of the service
	sudo    string                        // what a command that needs root says
	fail    map[string]func(broken error) // makes a step of an installation fail
	manual  bool                          // an operator can enable a manual service
}

// doubles are the machines of all dialects.
var doubles = map[string]func(t *testing.T) *double{
	"rcd": func(t *testing.T) *double {
		m, f := newRCDDouble(t)
		d := runnerDouble(m, f.tree, &f.Runner, "pw useradd", "sysrc web_enable")
		d.enable = func(on bool) { f.rc["web_enable"] = map[bool]string{true: "YES", false: "NO"}[on] }
		d.pid, d.hups, d.ends, d.ended = func() int { return f.pid }, func() int { return f.hups }, func() { f.ends = true }, "see its log"
		d.removed, d.sudo, d.manual = 8, "sudo, doas", true
		d.left = func() string {
			return strings.Join(append(slices.Sorted(maps.Keys(f.rc)), strings.TrimPrefix(managertest.Get(f.tree, "/etc/passwd"), rcdPasswd)), "")
		}
		return d
	},
	"procd": func(t *testing.T) *double {
		m, f := newProcdDouble(t)
		f.takes = 5 * time.Second
		d := runnerDouble(m, f.tree, &f.Runner)
		d.fail["links"] = func(error) { managertest.Put(t, f.tree, "/etc/rc.d", "no folder") }
		d.enable = func(on bool) { // /etc/init.d/web enable, disable
			for link, target := range procdLinks(managertest.Plain()) {
				if err := os.RemoveAll(f.tree.Path(link)); err != nil {
					t.Fatal(err)
				}
				if on {
					if err := os.Symlink(target, f.tree.Path(link)); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		d.pid, d.hups, d.ends, d.ended = func() int { return f.pid }, func() int { return f.hups }, func() { f.ends = true }, "exit code 3"
		d.removed, d.sudo, d.manual = 8, "sudo", true
		d.left = func() string { return strings.TrimPrefix(managertest.Get(f.tree, "/etc/passwd"), procdPasswd) }
		return d
	},
	"smf": func(t *testing.T) *double {
		m, f := newSMFDouble(t)
		d := runnerDouble(m, f.tree, &f.Runner, "svccfg validate", "svcadm disable -t", "svccfg -s")
		d.enable = func(on bool) { // svcadm enable, disable
			for _, i := range f.services {
				i.enabled, i.override = on, nil
			}
		}
		d.pid, d.hups, d.ends, d.ended = func() int { return f.services["svc:/site/web:default"].pid }, func() int { return f.hups }, func() { f.ends = true }, "maintenance"
		d.removed, d.sudo, d.manual = 6, "pfexec, sudo", true
		d.left = func() string { return strings.Join(slices.Sorted(maps.Keys(f.services)), " ") }
		return d
	},
	"launchd": func(t *testing.T) *double {
		m, f := newLaunchdDouble(t, 0, "/Users/a")
		f.drains = 7 * time.Second
		d := runnerDouble(m, f.tree, &f.Runner, "launchctl enable", "launchctl print-disabled")
		d.fail["log"] = func(error) { managertest.Put(t, f.tree, "/Library/Logs", "no folder") }
		d.enable = func(on bool) { f.disabled["web"] = !on }
		d.pid, d.hups, d.ends, d.ended = func() int { return f.pids }, func() int { return f.hups }, func() { f.exits = 1 }, "exit code 1"
		d.removed, d.sudo = 6, "sudo"
		d.left = func() string {
			if f.disabled["web"] {
				return "it is disabled"
			}
			return ""
		}
		return d
	},
	"openrc": func(t *testing.T) *double {
		f := initfake.New(t)
		d := initDouble(newOpenRCDouble(f), f, "rc-update add", "rc-update --update", "useradd")
		d.enable = func(on bool) {
			f.Delete("/etc/runlevels/default/web")
			if on {
				f.Link("/etc/runlevels/default/web", "/etc/init.d/web")
			}
		}
		d.removed, d.ended = 7, "it has ended at once"
		return d
	},
	"sysv": func(t *testing.T) *double {
		f := initfake.New(t)
		d := initDouble(newSysVDouble(f, "update-rc.d"), f, "update-rc.d", "useradd")
		d.enable = func(on bool) { // as update-rc.d NAME disable does
			for _, level := range "2345" {
				f.Delete("/etc/rc" + string(level) + ".d/S01web")
				f.Delete("/etc/rc" + string(level) + ".d/K01web")
				f.Link("/etc/rc"+string(level)+".d/"+map[bool]string{true: "S", false: "K"}[on]+"01web", "../init.d/web")
			}
		}
		d.removed, d.ended = 13, "exit code 3"
		return d
	},
	"rcs": func(t *testing.T) *double {
		f := initfake.New(t)
		d := initDouble(newRCSDouble(f), f, "useradd")
		d.enable = func(on bool) {
			f.Delete("/etc/init.d/S50web")
			if on {
				f.Link("/etc/init.d/S50web", "/etc/init.d/web")
			}
		}
		d.removed, d.ended = 7, "exit code 3"
		return d
	},
}

// eachDouble runs f for each dialect, with a machine of its own.
func eachDouble(t *testing.T, f func(t *testing.T, d *double)) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(doubles)) {
		t.Run(name, func(t *testing.T) { f(t, doubles[name](t)) })
	}
}

// runnerDouble is one whose init answers to the lines of r, of which steps can fail.
func runnerDouble(m *Manager, tree files.Tree, r *managertest.Runner, steps ...string) *double {
	d := newDouble(m, tree, managertest.Plain())
	for _, step := range steps {
		d.fail[step] = func(broken error) { r.Fail[step] = broken }
	}
	return d
}

// initDouble is one on a machine with tools, of which steps can fail.
func initDouble(m *Manager, f *initfake.Machine, steps ...string) *double {
	d := newDouble(m, f.Service().Tree, initfake.Web())
	for _, step := range steps {
		tool, args, _ := strings.Cut(step, " ")
		d.fail[step] = func(broken error) {
			do := f.Tools[tool]
			f.Tools[tool] = func(given []string) (string, error) {
				if strings.HasPrefix(strings.Join(given, " "), args) {
					f.Tools[tool] = do // what takes it back works
					return "", broken
				}
				return do(given)
			}
		}
	}
	d.pid, d.hups, d.ends = func() int { return f.PID }, func() int { return f.HUPs }, func() { f.Ends = true }
	d.sudo, d.manual = "sudo", true
	d.left = func() string {
		if text := f.Read("/etc/passwd"); strings.Contains(text, "web:") {
			return text
		}
		return ""
	}
	return d
}

func newDouble(m *Manager, tree files.Tree, s manage.Spec) *double {
	d := &double{Manager: m, tree: tree, spec: s, fail: map[string]func(error){}}
	l := m.dialect.Layout(s)
	d.fail["chown"] = func(broken error) { m.Chown = func(string, int, int) error { return broken } }
	d.fail["file"] = func(error) {
		if err := os.RemoveAll(tree.Path(path.Dir(l.File))); err != nil {
			panic(err)
		}
		if err := errors.Join(os.MkdirAll(path.Dir(path.Dir(tree.Path(l.File))), 0o755), os.WriteFile(tree.Path(path.Dir(l.File)), nil, 0o644)); err != nil {
			panic(err)
		}
	}
	d.fail["account"] = func(broken error) {
		m.Lookup = func(context.Context, string) (account.Account, bool, error) { return account.Account{}, false, broken }
	}
	return d
}
