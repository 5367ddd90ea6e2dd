//go:build unix

package script

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/test/managertest"
)

func TestProcd_StartTypesAreLinks(t *testing.T) {
	m, f := newProcdDouble(t)
	for _, test := range []struct {
		start service.StartType
		is    service.StartType
		links string
	}{
		{service.Automatic, service.Automatic, "K10web S95web"},
		{service.Delayed, service.Delayed, "K10web S99web"},
		{service.Manual, service.Manual, ""},
		{service.Automatic, service.Automatic, "K10web S95web"},
		{service.Disabled, service.Manual, ""},
	} {
		s := managertest.Plain()
		s.StartType = test.start
		if p := managertest.Install(t, m, s); !p.Changed() {
			t.Errorf("%s changes nothing", test.start)
		}
		var names []string
		entries, _ := os.ReadDir(f.tree.Path("/etc/rc.d"))
		for _, e := range entries {
			names = append(names, e.Name())
		}
		st, err := m.Status(context.Background(), s)
		if got := strings.Join(names, " "); got != test.links || err != nil || st.StartType != test.is {
			t.Errorf("%s: %q, %+v, %v", test.start, got, st, err)
		}
	}
}

func TestProcd_TakesOverTheLinksOfKardianos(t *testing.T) {
	m, f := newProcdDouble(t)
	theirs, err := os.ReadFile(filepath.Join("testdata", "procd", "kardianos.sh"))
	if err != nil {
		t.Fatal(err)
	}
	managertest.Put(t, f.tree, "/etc/init.d/web", string(theirs))
	if err := os.MkdirAll(f.tree.Path("/etc/rc.d"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"S50web", "K02web", "S50other", "S20my-web"} {
		if err := os.Symlink("/etc/init.d/web", f.tree.Path("/etc/rc.d/"+name)); err != nil {
			t.Fatal(err)
		}
	}
	if p := managertest.Install(t, m, managertest.Plain()); p.Replaces != "kardianos/service" {
		t.Errorf("%+v", p)
	}
	for name, want := range map[string]bool{"S50web": false, "K02web": false, "S95web": true, "K10web": true, "S50other": true, "S20my-web": true} {
		if f.tree.Exists("/etc/rc.d/"+name) != want {
			t.Errorf("%s: %t", name, !want)
		}
	}
}

func TestProcd_ReloadOfAScriptWithoutOneStartsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f := newProcdDouble(t)
		s := managertest.Plain()
		managertest.Install(t, m, s)
		if err := m.Start(context.Background(), s); err != nil {
			t.Fatal(err)
		}
		text, _, err := f.tree.Read("/etc/init.d/web")
		if err != nil {
			t.Fatal(err)
		}
		managertest.Put(t, f.tree, "/etc/init.d/web", strings.ReplaceAll(text, "reload_service", "another"))
		if err := m.Reload(context.Background(), s); !errors.Is(err, service.ErrNotSupported) || f.hups != 0 {
			t.Errorf("%v, %d", err, f.hups)
		}
	})
}

func TestProcd_ServicesHaveAccountsWhereThereAreTools(t *testing.T) {
	m, f := newProcdDouble(t)
	if name, own := m.accountName(managertest.Plain()); name != "nobody" || own {
		t.Errorf("%s, %t", name, own)
	}
	managertest.Put(t, f.tree, "/usr/sbin/useradd", "")
	if name, own := m.accountName(managertest.Plain()); name != "web" || !own {
		t.Errorf("%s, %t", name, own)
	}
}

func TestProcd_LogsAreThoseOfTheProgram(t *testing.T) {
	m, f := newProcdDouble(t)
	const (
		head  = "Wed Nov 25 04:28:32 2026 "
		first = head + "daemon.info my.web[7]: printed\n"
		later = head + "daemon.err web[7]: request failed\n"
		last  = head + "daemon.info web[8]: more\n"
	)
	m.dialect = procd{host{manage.Machine{Tree: f.tree, Run: f.Run}}, func(_ context.Context, w, _ io.Writer, name string, args ...string) error {
		text := first + head + "daemon.info webhook[7]: not web[7]: its\n" + head + "daemon.info myxweb[7]: neither\n" + head + "kern.info kernel: [    1.0] web[7]: nor this\n" + later
		if slices.Contains(args, "-f") {
			text = last + head + "daemon.info other[8]: web[8]: more\n"
		}
		if name != "logread" {
			t.Errorf("%s %q", name, args)
		}
		for part := range slices.Chunk([]byte(text), 7) {
			if _, err := w.Write(part); err != nil {
				return err
			}
		}
		return nil
	}}
	s := managertest.Plain()
	s.Executable = "/opt/my.web"
	managertest.Install(t, m, s)
	at := time.Date(2026, 11, 25, 4, 28, 32, 0, time.Local).Format("2006-01-02T15:04:05.000Z07:00 ")
	for want, q := range map[string]manage.LogQuery{
		at + "INFO  printed\n" + at + "ERROR request failed\n":                       {},
		at + "ERROR request failed\n":                                                {LogOptions: service.LogOptions{Lines: 1}},
		at + "INFO  printed\n" + at + "ERROR request failed\n" + at + "INFO  more\n": {LogOptions: service.LogOptions{Follow: true}},
		at + "ERROR request failed\n" + at + "INFO  more\n":                          {LogOptions: service.LogOptions{Lines: 1, Follow: true}},
	} {
		var b bytes.Buffer
		if err := m.Logs(context.Background(), s, q, &b); err != nil || b.String() != want {
			t.Errorf("%+v: %q, %v", q, b.String(), err)
		}
	}
	long := managertest.Plain()
	long.Executable = "/opt/a-program-with-a-very-long-name"
	if is := procdWriter(long); !is("a-program-with-a-very-l[12:") || is("a-program[12]:") {
		t.Error("procd cuts long names")
	}
	long.WorkingDirectory = "/srv"
	if !procdWriter(long)("sh[12]:") {
		t.Error("a shell has become the program")
	}
}

func TestProcd_WarnsOfVarInMemory(t *testing.T) {
	m, f := newProcdDouble(t)
	if err := os.Symlink("tmp", f.tree.Path("/var")); err != nil {
		t.Fatal(err)
	}
	p, err := m.Plan(context.Background(), managertest.Plain(), false)
	if err != nil || !strings.Contains(strings.Join(p.Warnings, "\n"), "in memory") {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestProcd_StopTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f := newProcdDouble(t)
		f.takes = 5 * time.Second
		ctx, s := context.Background(), managertest.Plain()
		managertest.Install(t, m, s)
		if err := m.Start(ctx, s); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		if err := m.Restart(ctx, s); err != nil || time.Since(begun) < f.takes {
			t.Fatalf("%v after %s", err, time.Since(begun))
		}
	})
}

func TestProcd_InstallMakesLinks(t *testing.T) {
	m, f := newProcdDouble(t)
	managertest.Install(t, m, managertest.Plain())
	if got := f.tree.Link("/etc/rc.d/S95web"); got != "../init.d/web" {
		t.Errorf("S95web leads to %q", got)
	}
}

func TestProcd_Diagnose(t *testing.T) {
	m, f := newProcdDouble(t)
	s := managertest.Plain()
	managertest.Install(t, m, s)
	f.code = 78
	managertest.Finds(t, m, s, manage.Problem, "exit code 78")
}
