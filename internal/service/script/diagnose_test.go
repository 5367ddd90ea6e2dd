//go:build unix

package script

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/account"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
	"github.com/go-glidepath/glidepath/internal/test/managertest"
)

func TestManager_WarnsOfFoldersOfAnotherAccount(t *testing.T) {
	m, f := newProcdDouble(t)
	m.OwnerOf = files.Owner
	s := managertest.Plain()
	s.Account = "www"                                                    // 80, to whom nothing belongs here
	managertest.Put(t, f.tree, "/etc/init.d/web", "# "+manage.Mark+"\n") // it is installed
	for _, dir := range []string{"/var/lib/web", "/etc/web"} {
		if err := os.MkdirAll(f.tree.Path(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	all := strings.Join(managertest.Plan(t, m, s).Warnings, "\n")
	if strings.Count(all, "Account: ") != 1 || !strings.Contains(all, fmt.Sprintf("Account: /var/lib/web belongs to the user with ID %d, and www cannot write there; with the service stopped: chown -Rh www /var/lib/web", os.Getuid())) {
		t.Errorf("it warns of\n%s", all)
	}
}

func TestManager_WarnsOfAFolderThatTheAccountMayNotEnter(t *testing.T) {
	eachDouble(t, func(t *testing.T, d *double) {
		d.Lookup = func(context.Context, string) (account.Account, bool, error) {
			return account.Account{Name: "web", Group: "web", UID: 990, GID: 990}, true, nil
		}
		dir := filepath.Dir(filepath.Dir(d.spec.Executable))
		if err := errors.Join(os.MkdirAll(d.tree.Path(dir), 0o755), os.Chmod(d.tree.Path(dir), 0o700)); err != nil {
			t.Fatal(err)
		}
		p := managertest.Plan(t, d, d.spec)
		if !strings.Contains(strings.Join(p.Warnings, "\n"), " may not enter "+dir+" and so cannot run the executable; ") {
			t.Errorf("the plan is %+v", p)
		}
		managertest.Install(t, d, d.spec)
		managertest.Finds(t, d, d.spec, manage.Problem, " may not enter "+dir)
	})
}

func TestManager_Diagnose(t *testing.T) {
	eachDouble(t, func(t *testing.T, d *double) {
		file := d.dialect.Layout(d.spec).File
		managertest.Finds(t, d, d.spec, manage.Problem, "there is no "+file)
		managertest.Install(t, d, d.spec)
		level := manage.OK
		if d.Name() == "launchd" {
			level = manage.Note // that it is not loaded
		}
		managertest.FindsNothing(t, d, d.spec, level)
		uid := 0
		d.OwnerOf = func(string) (int, bool) { return uid + 12345, true }
		managertest.Finds(t, d, d.spec, manage.Problem, "belongs to the user with ID 12345")
		for _, f := range d.Diagnose(t.Context(), d.spec) {
			// Without -h, that of busybox changes the owner of what a link leads to.
			if f.What == "folder" && !strings.HasPrefix(f.Remedy, "chown -Rh ") {
				t.Errorf("it advises %s", f.Remedy)
			}
		}
		d.Safe = func(string, bool) error { return service.ErrUnsafe }
		managertest.Finds(t, d, d.spec, manage.Warning, service.ErrUnsafe.Error())
		d.Safe = func(string, bool) error { return os.ErrNotExist }
		managertest.Finds(t, d, d.spec, manage.Problem, os.ErrNotExist.Error())
		s := d.spec
		s.Account = "gone"
		d.Lookup = func(context.Context, string) (account.Account, bool, error) { return account.Account{}, false, nil }
		managertest.Finds(t, d, s, manage.Problem, "there is no gone")
		managertest.Put(t, d.tree, file, "#!/bin/sh\n")
		managertest.Finds(t, d, d.spec, manage.Warning, "was made by another program")
	})
}

func TestManager_Logs(t *testing.T) {
	for name, file := range map[string]string{
		"rcd": "/var/log/web.log", "smf": "/var/svc/log/site-web:default.log", "launchd": "/Library/Logs/web.log",
		"openrc": "/var/log/web/web.out", "sysv": "/var/log/web/web.out", "rcs": "/var/log/web/web.out",
	} {
		t.Run(name, func(t *testing.T) {
			d := doubles[name](t)
			var b bytes.Buffer
			if err := d.Logs(t.Context(), d.spec, manage.LogQuery{}, &b); !errors.Is(err, service.ErrNotInstalled) {
				t.Errorf("got %v", err)
			}
			managertest.Install(t, d, d.spec)
			managertest.Put(t, d.tree, file, "one\ntwo\nthree\n")
			if err := d.Logs(t.Context(), d.spec, manage.LogQuery{LogOptions: service.LogOptions{Lines: 2}}, &b); err != nil || b.String() != "- INFO  two\n- INFO  three\n" {
				t.Errorf("%q, %v", b.String(), err)
			}
		})
	}
}

func TestManager_ConfinedNamesTheAccount(t *testing.T) {
	d := doubles["openrc"](t)
	if got := d.Confined(t.Context(), d.spec); got.Account != "" {
		t.Errorf("before there is one: %+v", got)
	}
	managertest.Install(t, d, d.spec)
	if got := d.Confined(t.Context(), d.spec); got.Account != "web" {
		t.Errorf("got %+v", got)
	}
}
