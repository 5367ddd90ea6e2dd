//go:build linux

package manage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/test/e2e/manage/scenario"
	"github.com/go-glidepath/glidepath/internal/test/e2e/manage/talk"
	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

// unix is what machines with a Unix have in common.
type unix struct {
	machine *testbed.Machine
	manager string
	places  []string // where services leave traces
	settled func()   // called after a folder has become another; nil if nobody cares
}

// boot boots a machine for the whole test.
func boot(t *testing.T, with func(ctx context.Context, binds ...string) (*testbed.Machine, error)) *testbed.Machine {
	t.Helper()
	testbed.Require(t)
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	machine, err := with(ctx, programs)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := machine.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := errors.Join(
		copyFile(filepath.Join(programs, "echo"), machine.Path(master)),
		os.Mkdir(machine.Path(open), 0o777),
		os.Chmod(machine.Path(open), 0o777),
	); err != nil {
		t.Fatal(err)
	}
	return machine
}

const (
	master = "/opt/echo" // one copy for all
	open   = "/opt/open"
	odd    = `/opt/Ünï côdé & söhne/100% 'echo' $HOME "(1)"; \n #`
)

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o755)
}

func (u *unix) Manager() string { return u.manager }

func (u *unix) Flags() []string { return nil }

func (u *unix) Can() scenario.Can {
	return scenario.Can{
		Whole: true, Unprivileged: true, Environment: true, Directory: true, Failures: true, Codes: true, Logs: true, Notices: true, Restarts: true, Older: true, Ready: true, Kills: 20,
		Folder: odd, Open: open, System: []string{"root"},
	}
}

func (u *unix) Put(t testing.TB, folder string) (exe string) {
	t.Helper()
	exe = path.Join(folder, "echo")
	if err := errors.Join(
		os.MkdirAll(u.machine.Path(folder), 0o755),
		os.Link(u.machine.Path(master), u.machine.Path(exe)),
	); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(u.machine.Path(folder)); err != nil {
			t.Error(err)
		}
	})
	return exe
}

func (u *unix) Exec(t testing.TB, who scenario.Who, env []string, exe string, args ...string) testbed.Output {
	t.Helper()
	run := u.machine.Run
	if who == scenario.Somebody {
		run = u.machine.RunUser
	}
	ctx, cancel := scenario.Lasting(t)
	defer cancel()
	out, err := run(ctx, "env", slices.Concat(env, []string{exe}, args)...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// tool runs a tool of the machine.
func (u *unix) tool(t testing.TB, name string, args ...string) testbed.Output {
	t.Helper()
	return u.Exec(t, scenario.Admin, nil, name, args...)
}

func (u *unix) State(name string) string {
	return u.machine.Path("/var/lib/" + name)
}

func (u *unix) Environment(_ testing.TB, _ string, g talk.Given) map[string]string { return g.Env }

func (u *unix) Alive(t testing.TB, pid int) bool {
	t.Helper()
	stat, err := os.ReadFile(u.machine.Path(fmt.Sprintf("/proc/%d/stat", pid)))
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !strings.Contains(err.Error(), "no such process") {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return rest != "" && rest[0] != 'Z'
}

func (u *unix) exists(p string) bool {
	_, err := os.Lstat(u.machine.Path(p))
	return err == nil
}

func (u *unix) read(p string) string {
	text, _ := os.ReadFile(u.machine.Path(p))
	return strings.TrimSpace(string(text))
}

// child is the only child of a process, 0 if there is none.
func (u *unix) child(pid int) int {
	children := u.read(fmt.Sprintf("/proc/%[1]d/task/%[1]d/children", pid))
	child, _ := strconv.Atoi(children)
	return child
}

// Traces are the files with the name of the service in theirs. A folder is one trace,
// with all that is in it. The lines of the accounts are traces as well.
func (u *unix) Traces(t testing.TB, name string) scenario.Traces {
	t.Helper()
	traces := scenario.Traces{}
	for _, place := range u.places {
		root := u.machine.Path(place)
		err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return nil // it has just gone
			case err != nil:
				return err
			case !strings.Contains(d.Name(), name):
				return nil
			}
			trace, err := look(p, d)
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			traces[path.Join(place, strings.TrimPrefix(p, root))] = trace
			if d.IsDir() && err == nil {
				err = fs.SkipDir
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow"} {
		for line := range strings.Lines(u.read(file)) {
			if strings.Contains(line, name) {
				traces[file+": "+name] = scenario.Trace{Text: strings.TrimSuffix(line, "\n")}
			}
		}
	}
	return traces
}

func look(p string, d fs.DirEntry) (scenario.Trace, error) {
	info, err := d.Info()
	if err != nil {
		return scenario.Trace{}, err
	}
	trace := scenario.Trace{Mode: info.Mode().String(), Link: info.Mode()&fs.ModeSymlink != 0}
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		trace.Text, err = os.Readlink(p)
	case info.Mode().IsRegular():
		var text []byte
		text, err = os.ReadFile(p)
		trace.Text, trace.Modified = string(text), info.ModTime()
	}
	return trace, err
}

// Shown are the lines of all the files that an installation has made.
func (u *unix) Shown(t testing.TB, name string) []string {
	t.Helper()
	return shown(u.Traces(t, name))
}

func shown(traces scenario.Traces) (lines []string) {
	for file, trace := range traces {
		if !manage.Marked(trace.Text) || record(file) { // a record may have been there before
			continue
		}
		lines = append(lines, "+++ "+file)
		for line := range strings.Lines(trace.Text) {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	return lines
}

// Keeps is that what a service has written stays, and who it was.
func (u *unix) Keeps(trace string) bool {
	for _, prefix := range []string{"/var/lib/", "/var/cache/", "/var/log/", "/etc/passwd: ", "/etc/group: ", "/etc/shadow: ", "/etc/gshadow: "} {
		if strings.HasPrefix(trace, prefix) {
			return true
		}
	}
	// The folder with the configuration, and the record of what the service has made.
	return path.Dir(trace) == "/etc" || record(trace)
}

// record reports whether a trace is the record of what the service has made.
func record(trace string) bool { return path.Base(path.Dir(trace)) == ".glidepath" }

func (u *unix) Old() string { return filepath.Join(programs, "oldservice") }

func (u *unix) Limit(t testing.TB, folder string, pages, files int) (lift func()) {
	t.Helper()
	return scenario.Limit(t, u.machine, folder, pages, files, u.settled)
}
