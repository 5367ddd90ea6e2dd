package account

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/command"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
)

func TestNamesAreLegalAndStayApart(t *testing.T) {
	for name, want := range map[string]string{
		"web":                                   "web",
		"my-web_2":                              "my-web_2",
		strings.Repeat("a", 31):                 strings.Repeat("a", 31),
		"Web":                                   "web-",
		"web.server":                            "web-server-",
		"web@blue":                              "web-blue-",
		"9lives":                                "slives-",
		"-x":                                    "sx-",
		"x-":                                    "x-",
		strings.Repeat("a", 32):                 strings.Repeat("a", 24) + "-",
		strings.Repeat("a", 23) + "-bbbbbbbbbb": strings.Repeat("a", 23) + "-",
	} {
		got := Name(name)
		if !strings.HasPrefix(got, want) || strings.HasSuffix(want, "-") != (got != name) {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
		if !regexp.MustCompile(`^[a-z][a-z0-9_-]{0,29}[a-z0-9]?$`).MatchString(got) {
			t.Errorf("%q is %q, which is not legal", name, got)
		}
	}
	if Name("Web") == Name("wEb") || Name(strings.Repeat("a", 40)) == Name(strings.Repeat("a", 41)) {
		t.Error("two services have one account")
	}
}

// machine is a folder with the users of a system, and tools that change them.
type machine struct {
	t     *testing.T
	root  string
	tools []string // that are there
	fail  string   // the beginning of a command line that fails
	lines []string
}

func newMachine(t *testing.T, tools ...string) (*machine, manage.Machine) {
	m := &machine{t: t, root: t.TempDir(), tools: tools}
	m.write("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nmail:x:8:8:mail:/var/mail:/usr/sbin/nologin\n")
	m.write("/etc/group", "root:x:0:\nmail:x:8:\nstaff:x:50:\n")
	m.write("/usr/sbin/nologin", "")
	return m, manage.Machine{Tree: files.Tree(m.root), Run: m.run}
}

func (m *machine) write(p, text string) {
	m.t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Join(m.root, filepath.Dir(p)), 0o755), os.WriteFile(filepath.Join(m.root, p), []byte(text), 0o644)); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) read(p string) string {
	m.t.Helper()
	b, err := os.ReadFile(filepath.Join(m.root, p))
	if err != nil {
		m.t.Fatal(err)
	}
	return string(b)
}

func (m *machine) run(_ context.Context, name string, args ...string) (string, error) {
	line := strings.Join(append([]string{name}, args...), " ")
	if !slices.Contains(m.tools, name) {
		return "", fmt.Errorf("%s: %w", name, exec.ErrNotFound)
	}
	m.lines = append(m.lines, line)
	if m.fail != "" && strings.HasPrefix(line, m.fail) {
		return "", &command.Error{Line: line, Code: 1, Stderr: name + ": Permission denied."}
	}
	after := func(flag string) string {
		if i := slices.Index(args, flag); i >= 0 {
			return args[i+1]
		}
		return ""
	}
	user := args[len(args)-1]
	drop := func(file, user string) {
		text := regexp.MustCompile(`(?m)^`+user+`:.*\n`).ReplaceAllString(m.read(file), "")
		m.write(file, text)
	}
	switch {
	case name == "useradd":
		m.write("/etc/passwd", m.read("/etc/passwd")+fmt.Sprintf("%s:x:990:990:%s:%s:%s\n", user, after("--comment"), after("--home-dir"), after("--shell")))
		if after("--gid") == "" {
			m.write("/etc/group", m.read("/etc/group")+user+":x:990:\n")
		}
	case name == "adduser":
		m.write("/etc/passwd", m.read("/etc/passwd")+fmt.Sprintf("%s:x:990:990:%s:%s:%s\n", user, after("-g"), after("-h"), after("-s")))
	case name == "pw" && args[0] == "useradd":
		m.write("/etc/passwd", m.read("/etc/passwd")+fmt.Sprintf("%s:x:990:990:%s:%s:%s\n", after("-n"), after("-c"), after("-d"), after("-s")))
	case name == "addgroup":
		m.write("/etc/group", m.read("/etc/group")+user+":x:990:\n")
	case name == "pw" && args[0] == "groupadd":
		m.write("/etc/group", m.read("/etc/group")+after("-n")+":x:990:\n")
	case name == "userdel", name == "deluser", name == "pw" && args[0] == "userdel":
		drop("/etc/passwd", user)
	case name == "groupdel", name == "delgroup", name == "pw" && args[0] == "groupdel":
		drop("/etc/group", user)
	}
	return "", nil
}

func TestAnAccountIsMadeAndRemovedWithTheToolsThatAreThere(t *testing.T) {
	for name, test := range map[string]struct {
		tools []string
		lines string
	}{
		"shadow": {
			[]string{"useradd", "userdel", "groupdel", "adduser", "addgroup"},
			`useradd --system --home-dir /var/lib/web --no-create-home --shell /usr/sbin/nologin --comment Glidepath service web --user-group web
userdel web
groupdel web`,
		},
		"FreeBSD": {
			[]string{"pw", "adduser"},
			`pw groupadd -n web
pw useradd -n web -g web -c Glidepath service web -d /var/lib/web -s /usr/sbin/nologin -w no
pw userdel -n web
pw groupdel -n web`,
		},
		"busybox": {
			[]string{"adduser", "addgroup", "deluser", "delgroup"},
			`addgroup -S web
adduser -S -D -H -h /var/lib/web -s /usr/sbin/nologin -G web -g Glidepath service web web
deluser web
delgroup web`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			sim, m := newMachine(t, test.tools...)
			before := sim.read("/etc/passwd") + sim.read("/etc/group")
			a, made, err := Ensure(t.Context(), m, "web", "/var/lib/web")
			want := Account{Name: "web", Group: "web", UID: 990, GID: 990, Comment: "Glidepath service web"}
			if err != nil || !made || a != want {
				t.Fatalf("got %+v, %t, %v", a, made, err)
			}
			if again, made, err := Ensure(t.Context(), m, "web", "/var/lib/web"); err != nil || made || again != want {
				t.Errorf("again: got %+v, %t, %v", again, made, err)
			}
			if removed, err := Remove(t.Context(), m, "web"); err != nil || !removed {
				t.Errorf("removed %t, %v", removed, err)
			}
			if got := strings.Join(sim.lines, "\n"); got != test.lines {
				t.Errorf("it called\n%s\nwant\n%s", got, test.lines)
			}
			if after := sim.read("/etc/passwd") + sim.read("/etc/group"); after != before {
				t.Errorf("there is left\n%s", after)
			}
			if removed, err := Remove(t.Context(), m, "web"); err != nil || removed {
				t.Errorf("removed %t again, %v", removed, err)
			}
		})
	}
}

func TestAUserOrGroupOfSomebodyElseIsNeverAnAccountOfAService(t *testing.T) {
	for name, what := range map[string]string{"mail": "user", "root": "user", "remote": "user", "staff": "group"} {
		sim, m := newMachine(t, "useradd", "userdel")
		m.Run = func(ctx context.Context, tool string, args ...string) (string, error) {
			if tool == "getent" && args[1] == "remote" {
				return "remote:*:70000:50:Remote:/home/remote:/bin/sh\n", nil
			}
			return sim.run(ctx, tool, args...)
		}
		want := "the account of the service " + name + " would be " + name + ", but this machine has a " + what + " of that name already"
		if _, made, err := Ensure(t.Context(), m, name, "/var/lib/x"); made || !errors.Is(err, manage.ErrConfig) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: made %t, %v; want %s", name, made, err, want)
		}
		if _, _, err := Of(t.Context(), m, manage.Spec{Name: name}); !errors.Is(err, manage.ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
		if removed, err := Remove(t.Context(), m, name); err != nil || removed {
			t.Errorf("%s: removed %t, %v", name, removed, err)
		}
		if sim.lines != nil {
			t.Errorf("%s: it called %q", name, sim.lines)
		}
	}
}

func TestAnAccountThatIsNamedMayBeSomebodyElses(t *testing.T) {
	_, m := newMachine(t)
	for name, uid := range map[string]int{"mail": 8, "root": 0, "LocalSystem": 0} {
		a, exists, err := Of(t.Context(), m, manage.Spec{Config: service.Config{Account: name}, Name: "staff"})
		if err != nil || !exists || a.UID != uid {
			t.Errorf("%s: %+v, %t, %v", name, a, exists, err)
		}
	}
}

func TestAGroupOfOthersStays(t *testing.T) {
	for what, change := range map[string]func(*machine){
		"a member": func(sim *machine) { sim.write("/etc/group", "root:x:0:\nweb:x:990:bob\n") },
		"a user's first": func(sim *machine) {
			sim.write("/etc/passwd", sim.read("/etc/passwd")+"bob:x:1000:990::/home/bob:/bin/sh\n")
		},
	} {
		sim, m := newMachine(t, "useradd", "userdel", "groupdel")
		if _, _, err := Ensure(t.Context(), m, "web", "/var/lib/web"); err != nil {
			t.Fatal(err)
		}
		change(sim)
		if removed, err := Remove(t.Context(), m, "web"); err != nil || !removed {
			t.Errorf("%s: removed %t, %v", what, removed, err)
		}
		if !HasGroup(m.Tree, "web") {
			t.Errorf("%s: the group is removed", what)
		}
	}
}

func TestAnAccountWhoseProcessIsJustEndingIsRemovedLater(t *testing.T) {
	for busy, want := range map[int]bool{0: true, 3: true, 100: true, 101: false} {
		synctest.Test(t, func(t *testing.T) {
			sim, m := newMachine(t, "useradd", "userdel", "groupdel")
			if _, _, err := Ensure(t.Context(), m, "web", "/var/lib/web"); err != nil {
				t.Fatal(err)
			}
			m.Run = func(ctx context.Context, name string, args ...string) (string, error) {
				if name == "userdel" && busy > 0 {
					busy--
					return "", &command.Error{Line: name, Code: 8, Stderr: "userdel: user web is currently used by process 99"}
				}
				return sim.run(ctx, name, args...)
			}
			begun := time.Now()
			removed, err := Remove(t.Context(), m, "web")
			if removed != want || (err == nil) != want || time.Since(begun) > 10*time.Second {
				t.Errorf("removed %t, %v after %s", removed, err, time.Since(begun))
			}
		})
	}
}

func TestAnAccountThatAnotherInstallationMakesIsUsed(t *testing.T) {
	sim, m := newMachine(t, "useradd")
	m.Run = func(ctx context.Context, name string, args ...string) (string, error) {
		out, err := sim.run(ctx, name, args...)
		if name == "useradd" && err == nil {
			return "", &command.Error{Line: name, Code: 9, Stderr: "useradd: user 'web' already exists"}
		}
		return out, err
	}
	a, made, err := Ensure(t.Context(), m, "web", "/var/lib/web")
	if err != nil || made || a.UID != 990 {
		t.Errorf("got %+v, %t, %v", a, made, err)
	}
}

func TestAGroupDoesNotStayWithoutItsUser(t *testing.T) {
	sim, m := newMachine(t, "adduser", "addgroup", "delgroup")
	sim.fail = "adduser"
	_, made, err := Ensure(t.Context(), m, "web", "/var/lib/web")
	if !errors.Is(err, service.ErrPermission) || made || !strings.Contains(err.Error(), "sudo") {
		t.Errorf("got %t, %v", made, err)
	}
	if strings.Contains(sim.read("/etc/group"), "web") {
		t.Error("the group is left")
	}
}

func TestWithoutToolsItSaysWhatToDo(t *testing.T) {
	_, m := newMachine(t)
	if _, _, err := Ensure(t.Context(), m, "web", "/var/lib/web"); err == nil || !strings.Contains(err.Error(), "by hand") {
		t.Errorf("got %v", err)
	}
}

func TestUsersThatAreKeptElsewhereAreFound(t *testing.T) {
	_, m := newMachine(t)
	m.Run = func(_ context.Context, name string, args ...string) (string, error) {
		if name == "getent" && args[1] == "remote" {
			return "remote:*:70000:50:Remote:/home/remote:/bin/sh\n", nil
		}
		return "", &command.Error{Line: name, Code: 2}
	}
	a, exists, err := Find(t.Context(), m, "remote")
	if err != nil || !exists || a.UID != 70000 || a.Group != "staff" {
		t.Errorf("got %+v, %t, %v", a, exists, err)
	}
	if _, exists, err := Find(t.Context(), m, "nobody-there"); exists || err != nil {
		t.Errorf("exists %t, %v", exists, err)
	}
}
