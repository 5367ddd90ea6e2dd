//go:build unix

package script

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/test/initfake"
	"github.com/go-glidepath/glidepath/internal/test/managertest"
	"github.com/go-glidepath/glidepath/internal/test/ownedtest"
)

// artefact returns what p makes of a file.
func artefact(t *testing.T, p *manage.Plan, name string) manage.Artefact {
	t.Helper()
	i := slices.IndexFunc(p.Artefacts, func(a manage.Artefact) bool { return a.Name == name })
	if i < 0 {
		t.Fatalf("%s is not in the plan %+v", name, p)
	}
	return p.Artefacts[i]
}

func TestManager_Life(t *testing.T) {
	eachDouble(t, func(t *testing.T, d *double) {
		synctest.Test(t, func(t *testing.T) {
			before := managertest.Snapshot(t, d.tree)
			for range 2 {
				managertest.NotInstalled(t, d, d.spec)
				if p := managertest.Install(t, d, d.spec); p.Installed || !p.Changed() || p.Replaces != "" {
					t.Errorf("the first plan is %+v", p)
				}
				if st := managertest.Is(t, d, d.spec, service.Stopped); st.StartType != service.Automatic {
					t.Errorf("installed, it is %+v", st)
				}
				run(t, d)
				removed, err := d.Remove(t.Context(), d.spec, true)
				if err != nil || len(removed) != d.removed || d.left() != "" {
					t.Errorf("removed %q, %v; left is %s", removed, err, d.left())
				}
			}
			if after := withoutFolders(managertest.Snapshot(t, d.tree)); after != withoutFolders(before) {
				t.Errorf("before:\n%s\nafter:\n%s", before, after)
			}
		})
	})
}

// run starts a service that is installed, and all else that can be done with it.
func run(t *testing.T, d *double) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Reload(ctx, d.spec); !errors.Is(err, service.ErrNotRunning) {
		t.Errorf("reload of what does not run: %v", err)
	}
	must(d.Start(ctx, d.spec))
	st := managertest.Is(t, d, d.spec, service.Running)
	if st.PID != d.pid() || st.PID == 0 || st.StartType != service.Automatic || st.Since.IsZero() && d.Name() != "procd" {
		t.Errorf("it is %+v, and its process %d", st, d.pid())
	}
	must(d.Start(ctx, d.spec))
	if again := managertest.Is(t, d, d.spec, service.Running); again.PID != st.PID {
		t.Error("a start of what runs has made another process")
	}
	hups := d.hups()
	if err := d.Reload(ctx, d.spec); err != nil || d.hups() != hups+1 {
		t.Errorf("%v, %d reloads", err, d.hups()-hups)
	}
	must(d.Restart(ctx, d.spec))
	if again := managertest.Is(t, d, d.spec, service.Running); again.PID == st.PID {
		t.Error("a restart has kept the process")
	}
	if p := managertest.Install(t, d, d.spec); p.Changed() || !p.Installed {
		t.Errorf("what is installed already: %+v", p)
	}
	managertest.Is(t, d, d.spec, service.Running)
	for range 2 {
		must(d.Stop(ctx, d.spec))
		managertest.Is(t, d, d.spec, service.Stopped)
	}
	must(d.Start(ctx, d.spec))
}

// withoutFolders leaves folders out of a snapshot: those above what a service has stay.
func withoutFolders(snapshot string) string {
	var lines []string
	for line := range strings.Lines(snapshot) {
		if !strings.Contains(line, " drwx") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

func TestManager_FilesAreAsTheyWere(t *testing.T) {
	endings := map[string]string{"smf": ".xml", "launchd": ".plist"}
	for _, dialect := range []string{"launchd", "procd", "rcd", "smf"} {
		t.Run(dialect, func(t *testing.T) {
			managertest.Each(t, func(t *testing.T, name string, s manage.Spec) {
				d := doubles[dialect](t)
				p := managertest.Plan(t, d, s)
				text, ending := artefact(t, p, d.dialect.Layout(s).File).New, endings[dialect]
				if ending == "" {
					ending = ".sh"
					managertest.Parses(t, text)
				}
				managertest.Golden(t, dialect+"/"+name+ending, text)
				managertest.Golden(t, dialect+"/"+name+".warnings", managertest.Warnings(p))
			})
		})
	}
}

func TestManager_PlanChangesNothing(t *testing.T) {
	eachDouble(t, func(t *testing.T, d *double) {
		before := managertest.Snapshot(t, d.tree)
		managertest.Plan(t, d, d.spec)
		if after := managertest.Snapshot(t, d.tree); after != before {
			t.Errorf("before:\n%s\nafter:\n%s", before, after)
		}
	})
}

func TestManager_StartFailsIfTheProgramEndsAtOnce(t *testing.T) {
	eachDouble(t, func(t *testing.T, d *double) {
		synctest.Test(t, func(t *testing.T) {
			d.ends()
			managertest.Install(t, d, d.spec)
			if err := d.Start(t.Context(), d.spec); err == nil || !strings.Contains(err.Error(), d.ended) {
				t.Errorf("got %v", err)
			}
		})
	})
}

func TestManager_FailedInstallationLeavesNothing(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(doubles)) {
		for _, step := range slices.Sorted(maps.Keys(doubles[name](t).fail)) {
			t.Run(name+", "+step, func(t *testing.T) {
				d := doubles[name](t)
				s := d.spec
				if step == "account" {
					s.Account = "www"
				}
				p := managertest.Plan(t, d, s)
				d.fail[step](errors.New("broken"))
				managertest.LeavesAll(t, d, d.tree, p)
				if d.left() != "" {
					t.Errorf("left is %s", d.left())
				}
			})
		}
	}
}

func TestManager_NeedsAPlanOfItsOwn(t *testing.T) {
	eachDouble(t, func(t *testing.T, d *double) {
		if err := d.Apply(t.Context(), &manage.Plan{Spec: d.spec, Private: planned{manager: "another"}}); err == nil || !strings.Contains(err.Error(), "not made for "+d.Name()) {
			t.Errorf("got %v", err)
		}
	})
}

func TestManager_SaysWhatToDoWithoutRights(t *testing.T) {
	eachDouble(t, func(t *testing.T, d *double) {
		synctest.Test(t, func(t *testing.T) {
			ctx := t.Context()
			p := managertest.Install(t, d, d.spec)
			d.UID = 1001
			before := managertest.Snapshot(t, d.tree)
			_, removed := d.Remove(ctx, d.spec, false)
			all := []error{d.Apply(ctx, p), d.Start(ctx, d.spec), d.Restart(ctx, d.spec), removed}
			d.UID = 0
			if err := d.Start(ctx, d.spec); err != nil {
				t.Fatal(err)
			}
			d.UID = 1001
			all = append(all, d.Stop(ctx, d.spec), d.Reload(ctx, d.spec))
			for _, err := range all {
				if !errors.Is(err, service.ErrPermission) || !strings.Contains(err.Error(), "run it as root ("+d.sudo+")") {
					t.Errorf("got %v", err)
				}
			}
			managertest.Is(t, d, d.spec, service.Running)
			d.UID = 0
			if err := d.Stop(ctx, d.spec); err != nil {
				t.Fatal(err)
			}
			if after := managertest.Snapshot(t, d.tree); withoutFolders(after) != withoutFolders(before) {
				t.Errorf("before:\n%s\nafter:\n%s", before, after)
			}
		})
	})
}

func TestManager_LeavesForeignFilesAlone(t *testing.T) {
	eachDouble(t, func(t *testing.T, d *double) {
		file := d.dialect.Layout(d.spec).File
		managertest.Put(t, d.tree, file, "#!/bin/sh\necho mine\n")
		managertest.Foreign(t, d, d.spec)
		p, err := d.Plan(t.Context(), d.spec, true)
		if err != nil || !strings.Contains(strings.Join(p.Warnings, "\n"), file) || !p.Installed {
			t.Fatalf("with force: %+v, %v", p, err)
		}
		if err := d.Apply(t.Context(), p); err != nil || !manage.Marked(managertest.Get(d.tree, file)) {
			t.Errorf("it was not replaced: %v", err)
		}
	})
}

func TestManager_TakesOverAServiceOfKardianos(t *testing.T) {
	for dialect, ending := range map[string]string{"rcd": ".sh", "procd": ".sh", "launchd": ".plist"} {
		t.Run(dialect, func(t *testing.T) {
			d := doubles[dialect](t)
			theirs, err := os.ReadFile(filepath.Join("testdata", dialect, "kardianos"+ending))
			if err != nil {
				t.Fatal(err)
			}
			file := d.dialect.Layout(d.spec).File
			managertest.Put(t, d.tree, file, string(theirs))
			if p := managertest.Install(t, d, d.spec); p.Replaces != "kardianos/service" || !p.Installed {
				t.Errorf("%+v", p)
			}
			if !manage.Marked(managertest.Get(d.tree, file)) {
				t.Error("it is there still")
			}
		})
	}
}

func TestManager_UnsafeExecutableNeedsForce(t *testing.T) {
	eachDouble(t, func(t *testing.T, d *double) {
		d.Safe = func(string, bool) error { return fmt.Errorf("/usr/local/bin: %w", service.ErrUnsafe) }
		if _, err := d.Plan(t.Context(), d.spec, false); !errors.Is(err, service.ErrUnsafe) {
			t.Errorf("got %v", err)
		}
		p, err := d.Plan(t.Context(), d.spec, true)
		if err != nil || !slices.Contains(p.Warnings, "/usr/local/bin: "+service.ErrUnsafe.Error()) {
			t.Errorf("with force: %+v, %v", p, err)
		}
	})
}

func TestManager_RefusesWhatItCannotInstall(t *testing.T) {
	eachDouble(t, func(t *testing.T, d *double) {
		_, own := d.accountName(d.spec)
		for name, test := range map[string]struct {
			change func(*manage.Spec)
			want   error
		}{
			"a service of a user":        {func(s *manage.Spec) { s.User = true }, service.ErrNotSupported},
			"a template by itself":       {func(s *manage.Spec) { s.Template = true }, manage.ErrConfig},
			"an account that is not":     {func(s *manage.Spec) { s.Account = "nobody-there" }, manage.ErrConfig},
			"the name of root's account": {func(s *manage.Spec) { s.Name = "root" }, manage.ErrConfig},
			"the name of another user":   {func(s *manage.Spec) { s.Name = "www" }, manage.ErrConfig},
		} {
			if strings.HasPrefix(name, "the name") && !own {
				continue
			}
			d := doubles[filepath.Base(t.Name())](t)
			if d.Name() == "SMF" || d.Name() == "launchd" {
				d.Lookup = lookupUser
			}
			s := d.spec
			test.change(&s)
			if _, err := d.Plan(t.Context(), s, true); !errors.Is(err, test.want) {
				t.Errorf("%s: got %v, want %v", name, err, test.want)
			}
		}
		if err := errors.Join(d.Pause(t.Context(), d.spec), d.Continue(t.Context(), d.spec)); !errors.Is(err, service.ErrNotSupported) {
			t.Errorf("got %v", err)
		}
	})
}

func TestManager_DoesNotRunAServiceAsAUserWhoHasItsName(t *testing.T) {
	for _, name := range []string{"rcd", "procd", "openrc", "sysv"} {
		t.Run(name, func(t *testing.T) {
			d := doubles[name](t)
			managertest.Put(t, d.tree, "/etc/passwd", managertest.Get(d.tree, "/etc/passwd")+"web:x:34:34:web:/var/web:/bin/false\n")
			if _, err := d.Plan(t.Context(), d.spec, true); !errors.Is(err, manage.ErrConfig) || !strings.Contains(err.Error(), "has a user of that name already") {
				t.Errorf("got %v", err)
			}
			s := d.spec
			s.Account = "web"
			if _, err := d.Plan(t.Context(), s, false); err != nil {
				t.Errorf("which is asked for: %v", err)
			}
		})
	}
}

func TestManager_EveryInstanceHasAnAccountOfItsOwn(t *testing.T) {
	s := managertest.Specs()["instance"]
	other := s
	other.Instance = s.Instance + "2"
	for _, name := range []string{"rcd", "procd", "openrc", "sysv"} {
		d := doubles[name](t)
		managertest.Put(t, d.tree, "/usr/sbin/useradd", "")
		a, _ := d.accountName(s)
		if b, _ := d.accountName(other); a == b {
			t.Errorf("%s: both are %s: who removes one takes it from the other", name, a)
		}
	}
}

func TestManager_ReadsTheCommandBackFromWhatIsInstalled(t *testing.T) {
	eachDouble(t, func(t *testing.T, d *double) {
		specs := managertest.Specs()
		for name, s := range initfake.Specs() {
			specs["init "+name] = s
		}
		for name, s := range specs {
			text, _, err := d.dialect.Render(t.Context(), s, Owner{Name: "web", Group: "web"})
			if err != nil {
				t.Fatal(err)
			}
			managertest.Put(t, d.tree, d.dialect.Layout(s).File, text)
			if got, err := d.Launches(t.Context(), s); got != s.Executable || err != nil {
				t.Errorf("%s: got %q, %v; want %q", name, got, err, s.Executable)
			}
			if got, ok := d.Passes(t.Context(), s); !ok || !slices.Equal(got, s.Arguments) {
				t.Errorf("%s: the arguments are %q, %t; want %q", name, got, ok, s.Arguments)
			}
		}
		for _, foreign := range []string{"", "#!/bin/sh\n", "<plist/>"} {
			if got := d.dialect.Command(foreign); len(got) > 0 {
				t.Errorf("%q starts %q", foreign, got)
			}
		}
		s := d.spec
		s.Name = "gone"
		if got, err := d.Launches(t.Context(), s); got != "" || err != nil {
			t.Errorf("of what is not installed: %q, %v", got, err)
		}
	})
}

func TestManager_KeepsWhatIsNotTheServices(t *testing.T) {
	eachDouble(t, func(t *testing.T, d *double) {
		synctest.Test(t, func(t *testing.T) { ownedtest.Run(t, d, d.spec, d.tree, d.Folders(d.spec)) })
	})
}

func TestManager_KeepsWhatAnOperatorHasChosen(t *testing.T) {
	eachDouble(t, func(t *testing.T, d *double) { ownedtest.Stays(t, d, d.spec, d.manual, d.enable) })
}

func TestManager_WithoutPurgeDataStay(t *testing.T) {
	eachDouble(t, func(t *testing.T, d *double) {
		synctest.Test(t, func(t *testing.T) {
			managertest.Install(t, d, d.spec)
			data := d.Folders(d.spec).State + "/data"
			managertest.Put(t, d.tree, data, "precious")
			managertest.Put(t, d.tree, "/etc/conf.d/web", "the operator's")
			managertest.Put(t, d.tree, "/etc/default/web", "the operator's")
			passwd := managertest.Get(d.tree, "/etc/passwd")
			if _, err := d.Remove(t.Context(), d.spec, false); err != nil {
				t.Error(err)
			}
			if managertest.Get(d.tree, data) != "precious" || managertest.Get(d.tree, "/etc/passwd") != passwd {
				t.Error("the data, or their owner, is gone")
			}
			if managertest.Get(d.tree, "/etc/conf.d/web") == "" || managertest.Get(d.tree, "/etc/default/web") == "" {
				t.Error("the operator's files are gone")
			}
		})
	})
}
