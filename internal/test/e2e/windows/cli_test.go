//go:build linux

package windows

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"

	"github.com/go-glidepath/glidepath/internal/test/e2e/manage/scenario"
	"github.com/go-glidepath/glidepath/internal/test/e2e/manage/talk"
	"github.com/go-glidepath/glidepath/internal/test/e2e/windows/control"
	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

// bed is the machine's Windows for the tests of the command line.
type bed struct{ old string }

const (
	driveC  = "/var/lib/windows/drive_c"
	folders = driveC + "/ProgramData"
	open    = "/opt/open"
	theKey  = `HKLM\SYSTEM\CurrentControlSet\Services\`
	sources = `HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\`
)

// newBed has what the tests install built once for all.
var newBed = sync.OnceValues(func() (*bed, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	dir, err := testbed.Build(ctx, "windows", module+"/internal/test/e2e/manage/echo")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	// It has the name of the program that takes its service over: that is what the
	// same program, of another version, has.
	old := "/opt/old/echo.exe"
	_, err = testbed.Go(ctx, "windows", "-C", filepath.Join("..", "..", "interop"), "build", "-o", filepath.Join(dir, "old.exe"), "./oldservice")
	return &bed{old: old}, errors.Join(err,
		os.Mkdir(machine.Path("/opt/old"), 0o755),
		os.Mkdir(machine.Path(open), 0o777), os.Chmod(machine.Path(open), 0o777),
		copyFile(filepath.Join(dir, "old.exe"), machine.Path(old)),
		copyFile(filepath.Join(dir, "echo.exe"), machine.Path("/opt/echo.exe")),
	)
})

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o755)
}

func TestNothingIsHalfInstalledByTheCommandLine(t *testing.T) {
	scenario.Tight(t, requireBed(t)) // in the folder of all services: with no other test
}

func TestTheCommandLine(t *testing.T) {
	t.Parallel()
	scenario.Operate(t, requireBed(t))
}

func requireBed(t *testing.T) *bed {
	t.Helper()
	requireWindows(t)
	b, err := newBed()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (*bed) Manager() string { return "Windows" }

// Can is what Wine can: it restarts nothing, keeps no log and does not notice the end of a
// process that has not stopped as a service does; everybody is Administrator, but
// everything in its file system belongs to somebody who is none, whatever was asked for.
// kardianos/service takes it for a console.
func (*bed) Can() scenario.Can {
	return scenario.Can{
		Insist: true, Forgets: true, Whole: true, Failures: true, Codes: true, Pause: true, Ready: true,
		Folder: "/opt/Ünï côdé & söhne/100% $HOME ^echo^ (1)", Open: open, System: []string{"root"},
	}
}

func (*bed) Flags() []string { return nil }

func (*bed) Put(t testing.TB, folder string) (exe string) {
	t.Helper()
	exe = path.Join(folder, "echo.exe")
	if err := errors.Join(
		os.MkdirAll(machine.Path(folder), 0o755),
		os.Link(machine.Path("/opt/echo.exe"), machine.Path(exe)),
	); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(machine.Path(folder)); err != nil {
			t.Error(err)
		}
	})
	return exe
}

func (*bed) Exec(t testing.TB, _ scenario.Who, env []string, exe string, args ...string) testbed.Output {
	t.Helper()
	ctx, cancel := scenario.Lasting(t)
	defer cancel()
	windows := []string{"WINEPREFIX=/var/lib/windows", "WINEDEBUG=-all"}
	out, err := machine.Run(ctx, "env", slices.Concat(windows, env, []string{"wine", exe}, args)...)
	if err != nil {
		t.Fatal(err)
	}
	out.Stdout, out.Stderr = lines(out.Stdout), lines(out.Stderr)
	return out
}

// lines is text as Unix has it.
func lines(text string) string { return strings.ReplaceAll(text, "\r\n", "\n") }

// key is what is in a key of the registry and below it, as text and as values.
func (b *bed) key(t testing.TB, key string) (text string, values map[string]string) {
	t.Helper()
	file := "/run/" + scenario.NewName() + ".reg"
	b.Exec(t, scenario.Admin, nil, `C:\windows\system32\reg.exe`, "export", key, testbed.WindowsPath(file))
	raw, err := os.ReadFile(machine.Path(file))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err := errors.Join(err, os.Remove(machine.Path(file))); err != nil {
		t.Fatal(err)
	}
	text = strings.ReplaceAll(lines(wide(raw)), "\\\n  ", "") // long values go over several lines
	values = map[string]string{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), `"=`)
		name = strings.TrimPrefix(name, `"`)
		if list, ok := strings.CutPrefix(value, "hex(7):"); ok {
			bytes, err := hex.DecodeString(strings.ReplaceAll(list, ",", ""))
			if err != nil {
				t.Fatal(err)
			}
			value = wide(bytes)
		} else if text, ok := strings.CutPrefix(value, `"`); ok {
			value = strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(strings.TrimSuffix(text, `"`))
		}
		if _, ok := values[name]; !ok {
			values[name] = value
		}
	}
	return text, values
}

// wide is text of Windows.
func wide(b []byte) string {
	var text []uint16
	for ; len(b) > 1; b = b[2:] {
		text = append(text, binary.LittleEndian.Uint16(b))
	}
	return strings.TrimPrefix(string(utf16.Decode(text)), "\ufeff")
}

func (b *bed) Says(t testing.TB, name string) scenario.Said {
	t.Helper()
	var s control.Status
	if err := agent.Call("Manager.Query", name, &s); err != nil {
		if !strings.Contains(err.Error(), "open service") {
			t.Fatal(err)
		}
		return scenario.Said{}
	}
	_, values := b.key(t, theKey+name)
	return scenario.Said{
		Installed: true,
		Automatic: values["Start"] == "dword:00000002",
		Running:   s.State == running,
		Failed:    s.State == stopped && s.ExitCode != 0 && s.ExitCode != 1077, // never started
		PID:       int(s.PID),
	}
}

func (*bed) State(name string) string { return machine.Path(folders + "/" + name + "/state") }

// Environment is what the registry has for the service: Wine passes nothing of it on.
func (b *bed) Environment(t testing.TB, name string, _ talk.Given) map[string]string {
	t.Helper()
	environment := map[string]string{}
	_, values := b.key(t, theKey+name)
	for v := range strings.SplitSeq(values["Environment"], "\x00") {
		name, value, _ := strings.Cut(v, "=")
		environment[name] = value
	}
	return environment
}

func (b *bed) Alive(t testing.TB, pid int) bool {
	t.Helper()
	list := b.Exec(t, scenario.Admin, nil, `C:\windows\system32\tasklist.exe`, "/FO", "CSV").Stdout
	if !strings.Contains(list, "services.exe") {
		t.Fatalf("tasklist says %q", list)
	}
	for line := range strings.Lines(list) {
		if fields := strings.Split(line, `"`); len(fields) > 3 && fields[3] == strconv.Itoa(pid) {
			return true
		}
	}
	return false
}

// Traces are the keys of the service and its folder.
func (b *bed) Traces(t testing.TB, name string) scenario.Traces {
	t.Helper()
	traces := scenario.Traces{}
	for _, key := range []string{theKey, sources} {
		if text, _ := b.key(t, key+name); text != "" {
			traces[key+name] = scenario.Trace{Text: text}
		}
	}
	info, err := os.Lstat(machine.Path(folders + "/" + name))
	switch {
	case err == nil:
		traces[`C:\ProgramData\`+name] = scenario.Trace{Mode: info.Mode().String()}
	case !errors.Is(err, fs.ErrNotExist):
		t.Fatal(err)
	}
	return traces
}

// Shown are the values of the registry that an operator wants to see.
func (b *bed) Shown(t testing.TB, name string) []string {
	t.Helper()
	_, values := b.key(t, theKey+name)
	return []string{
		values["ImagePath"], values["ObjectName"], values["DisplayName"], values["Description"],
		name, `C:\ProgramData\` + name,
	}
}

func (*bed) Keeps(trace string) bool { return strings.HasPrefix(trace, `C:\ProgramData`) }

func (b *bed) Old() string { return b.old }

func (*bed) Tight() []string { return []string{folders} }

func (*bed) Limit(t testing.TB, folder string, pages, files int) (lift func()) {
	t.Helper()
	return scenario.Limit(t, machine, folder, pages, files, nil)
}

func (*bed) Foreign(t testing.TB, name, _ string) {
	t.Helper()
	if err := agent.Call("Manager.Create", control.Service{Name: name, Path: `C:\windows\system32\winver.exe`}, &nothing); err != nil {
		t.Fatal(err)
	}
}

func (b *bed) Forget(t testing.TB, name string) {
	t.Helper()
	if t.Failed() {
		for key, trace := range b.Traces(t, name) {
			t.Logf("%s: %s", key, trace.Text)
		}
	}
	if !b.Says(t, name).Installed {
		return
	}
	var a control.Answer
	_ = agent.Call("Manager.Control", control.Control{Name: name, Code: controlStop}, &a)
	_ = agent.Call("Manager.Await", control.Await{Name: name, State: stopped, Bound: patience}, &[]control.Status{})
	if err := agent.Call("Manager.Delete", name, &nothing); err != nil {
		t.Error(err)
	}
}
