//go:build unix

package smf

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/onefile"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
	"github.com/go-glidepath/glidepath/internal/test/managertest"
	"github.com/go-glidepath/glidepath/internal/test/ownedtest"
)

// bundle is what svccfg reads of a manifest.
type bundle struct {
	Name    string `xml:"name,attr"`
	Service struct {
		Name         string `xml:"name,attr"`
		Dependencies []struct {
			Name     string `xml:"name,attr"`
			Grouping string `xml:"grouping,attr"`
			FMRI     struct {
				Value string `xml:"value,attr"`
			} `xml:"service_fmri"`
		} `xml:"dependency"`
		Context struct {
			Directory  string `xml:"working_directory,attr"`
			Credential struct {
				User       string `xml:"user,attr"`
				Privileges string `xml:"privileges,attr"`
			} `xml:"method_credential"`
			Environment []struct {
				Name  string `xml:"name,attr"`
				Value string `xml:"value,attr"`
			} `xml:"method_environment>envvar"`
		} `xml:"method_context"`
		Methods []struct {
			Name    string `xml:"name,attr"`
			Exec    string `xml:"exec,attr"`
			Timeout int    `xml:"timeout_seconds,attr"`
		} `xml:"exec_method"`
	} `xml:"service"`
}

func parse(t *testing.T, text string) bundle {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	for { // all of it is well-formed
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	var b bundle
	if err := xml.Unmarshal([]byte(text), &b); err != nil {
		t.Fatal(err)
	}
	return b
}

// fake is svccfg, svcadm, svcprop and svcs, and the repository behind them.
type fake struct {
	managertest.Runner
	t        *testing.T
	tree     files.Tree
	services map[string]*instance // by FMRI
	ends     bool
	hups     int
}

type instance struct {
	enabled  bool
	override *bool // general_ovr
	state    string
	pid      int
}

func (i *instance) settle(f *fake) {
	on := i.enabled
	if i.override != nil {
		on = *i.override
	}
	switch {
	case i.state == "maintenance":
	case on && i.state != "online":
		i.state = "online"
		i.pid += 10
		if f.ends {
			i.state = "maintenance"
		}
	case !on:
		i.state = "disabled"
	}
}

func (f *fake) answer(line string) (string, error) {
	words := strings.Fields(line)
	last := words[len(words)-1]
	unknown := func() (string, error) {
		return "", managertest.Fails(line, 1, "Pattern doesn't match any entities")
	}
	switch words[0] {
	case "svccfg":
		switch words[1] {
		case "validate":
			parse(f.t, managertest.Get(f.tree, strings.TrimPrefix(last, string(f.tree))))
		case "import":
			b := bundle{}
			if err := xml.Unmarshal([]byte(managertest.Get(f.tree, strings.TrimPrefix(last, string(f.tree)))), &b); err != nil {
				return "", managertest.Fails(line, 1, err.Error())
			}
			fmri := "svc:/" + b.Service.Name + ":default"
			if f.services[fmri] == nil {
				f.services[fmri] = &instance{state: "disabled", pid: 100}
			}
		case "delete":
			if f.services[last+":default"] == nil {
				return unknown()
			}
			delete(f.services, last+":default")
		case "-s":
			i := f.services[words[2]]
			if i == nil {
				return unknown()
			}
			i.enabled = last == "true"
			i.settle(f)
		}
		return "", nil
	case "svcadm":
		i := f.services[last]
		if i == nil {
			return unknown()
		}
		temporary := slices.Contains(words, "-t")
		set := func(on bool) {
			if temporary {
				i.override = &on
			} else {
				i.enabled, i.override = on, nil
			}
		}
		switch words[1] {
		case "enable":
			set(true)
		case "disable":
			set(false)
			if i.state == "maintenance" {
				i.state = "disabled"
			}
		case "clear":
			i.state = "disabled"
		case "refresh":
			f.hups++
		}
		i.settle(f)
		return "", nil
	case "svcprop":
		i := f.services[last]
		if i == nil {
			return unknown()
		}
		if strings.Contains(line, "-p restarter") {
			return fmt.Sprintf("restarter/state astring %s\nrestarter/next_state astring none\nrestarter/start_pid count %d\nrestarter/state_timestamp time 1700000000.250000000\ngeneral/enabled boolean %t\n", i.state, i.pid, i.enabled), nil
		}
		return fmt.Sprintf("%t\n", i.enabled), nil
	case "svcs":
		i := f.services[last]
		if i == nil {
			return unknown()
		}
		return i.state + "\n", nil
	}
	return "", fmt.Errorf("%s is not expected", line)
}

func world(t *testing.T) (*Manager, *fake) {
	t.Helper()
	f := &fake{Runner: managertest.Runner{Fail: map[string]error{}}, t: t, tree: files.Tree(t.TempDir()), services: map[string]*instance{}}
	f.Answer = f.answer
	return &Manager{
		m: service.Machine{Tree: f.tree, Run: f.Run}, safe: func(string, bool) error { return nil },
		ids: func(string) (onefile.Owner, error) { return onefile.Owner{}, nil }, chown: func(string, int, int) error { return nil },
	}, f
}

func TestTheManifestIsAsItWas(t *testing.T) {
	managertest.Each(t, func(t *testing.T, name string, s service.Spec) {
		m, _ := world(t)
		p := managertest.Plan(t, m, s)
		managertest.Golden(t, name+".xml", p.Artefacts[0].New)
		managertest.Golden(t, name+".warnings", managertest.Warnings(p))
	})
}

// expand does what svc.startd does with the tokens of a method.
func expand(t *testing.T, method string) string {
	t.Helper()
	return regexp.MustCompile(`%.?`).ReplaceAllStringFunc(method, func(token string) string {
		if token != "%%" {
			t.Errorf("the token %q in %s", token, method)
		}
		return "%"
	})
}

func TestArgumentsAndEnvironmentArriveThroughTheMethod(t *testing.T) {
	specs := managertest.Specs()
	for _, name := range []string{"hostile", "everything", "instance"} {
		managertest.EachShell(t, func(t *testing.T, shell []string) {
			s := specs[name]
			dir := t.TempDir()
			s.Executable = dir + "/bin" + s.Executable
			s.Directory = dir + "/a 'folder' & <more>"
			if err := os.MkdirAll(s.Directory, 0o755); err != nil {
				t.Fatal(err)
			}
			managertest.Recorder(t, s.Executable, dir, "")
			b := parse(t, render(s, "web", folders(s.ServiceName())))
			cmd := exec.Command(shell[0], append(shell[1:], "-c", expand(t, b.Service.Methods[0].Exec))...)
			cmd.Dir = b.Service.Context.Directory
			cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
			for _, v := range b.Service.Context.Environment {
				cmd.Env = append(cmd.Env, v.Name+"="+v.Value)
			}
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			managertest.Recorded(t, dir, s)
		})
	}
}

func TestWhatSMFIsTold(t *testing.T) {
	s := managertest.Specs()["everything"]
	b := parse(t, render(s, account(s), folders(s.ServiceName())))
	if b.Service.Name != "site/my-web_2ed" || b.Service.Context.Credential.User != "www" {
		t.Errorf("%+v", b)
	}
	got := map[string]string{}
	for _, m := range b.Service.Methods {
		got[m.Name] = fmt.Sprintf("%s %d", m.Exec, m.Timeout)
	}
	if got["stop"] != ":kill 95" || got["refresh"] != ":kill -HUP 10" || !strings.HasPrefix(got["start"], "umask 077; ulimit -n 4096 && exec /usr/local/bin/web ") {
		t.Errorf("the methods are %q", got)
	}
	var needs []string
	for _, d := range b.Service.Dependencies {
		needs = append(needs, d.FMRI.Value+" "+d.Grouping)
	}
	if want := []string{"svc:/system/filesystem/local require_all", "svc:/milestone/network require_all", "svc:/site/db optional_all"}; !slices.Equal(needs, want) {
		t.Errorf("it needs %q", needs)
	}
	for profile, want := range map[service.Profile]string{service.Strict: "basic,!proc_info,!proc_session,!file_link_any", service.LowPorts: "basic,!proc_info,!proc_session,!file_link_any,net_privaddr", service.None: ""} {
		s := managertest.Plain()
		s.Hardening.Profile = profile
		if got := parse(t, render(s, "web", folders("web"))).Service.Context.Credential.Privileges; got != want {
			t.Errorf("%s: %q", profile, got)
		}
	}
}

func TestNamesAreLegalToSMF(t *testing.T) {
	for name, want := range map[string]string{"web": "web", "my-web_1": "my-web_1", "my.web": "my_2eweb", "9p": "n_39p"} {
		if got := identifier(name); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestALifeFromInstallToRemoveTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f := world(t)
		ctx, s := context.Background(), managertest.Plain()
		for range 2 {
			managertest.NotInstalled(t, m, s)
			managertest.Install(t, m, s)
			if st := managertest.Is(t, m, s, service.Stopped); st.Start != service.Automatic {
				t.Errorf("got %+v", st)
			}
			if err := m.Reload(ctx, s); !errors.Is(err, service.ErrNotRunning) {
				t.Errorf("got %v", err)
			}
			for range 2 {
				if err := m.Start(ctx, s); err != nil {
					t.Fatal(err)
				}
			}
			if st := managertest.Is(t, m, s, service.Running); st.PID == 0 || st.Since.Unix() != 1700000000 {
				t.Errorf("got %+v", st)
			}
			hups := f.hups
			if err := m.Reload(ctx, s); err != nil || f.hups != hups+1 {
				t.Errorf("%v, %d HUPs", err, f.hups-hups)
			}
			if err := m.Restart(ctx, s); err != nil {
				t.Fatal(err)
			}
			if p := managertest.Install(t, m, s); p.Changed() || !p.Installed {
				t.Errorf("what is installed already: %+v", p)
			}
			managertest.Is(t, m, s, service.Running)
			removed, err := m.Remove(ctx, s, true)
			if err != nil || len(removed) != 6 || len(f.services) != 0 {
				t.Errorf("removed %q, %v, left %v", removed, err, f.services)
			}
		}
	})
}

func TestInstallDoesNotChangeWhetherItRunsNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f := world(t)
		ctx, s := context.Background(), managertest.Plain()
		managertest.Install(t, m, s)
		i := f.services["svc:/site/web:default"]
		i.override = nil // the machine was started anew
		i.settle(f)
		for _, start := range []service.Start{service.Manual, service.Automatic, service.Disabled} {
			s.Start = start
			managertest.Install(t, m, s)
			if st, err := m.Status(ctx, s); err != nil || st.State != service.Running || (st.Start == service.Automatic) != (start == service.Automatic) {
				t.Errorf("%s: %+v, %v", start, st, err)
			}
		}
		if err := m.Stop(ctx, s); err != nil {
			t.Fatal(err)
		}
		s.Start = service.Automatic
		managertest.Install(t, m, s)
		if st, err := m.Status(ctx, s); err != nil || st.State != service.Stopped || st.Start != service.Automatic {
			t.Errorf("%+v, %v", st, err)
		}
	})
}

func TestWhatIsInMaintenanceIsClearedByStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f := world(t)
		f.ends = true
		ctx, s := context.Background(), managertest.Plain()
		managertest.Install(t, m, s)
		if err := m.Start(ctx, s); err == nil || !strings.Contains(err.Error(), "maintenance") {
			t.Errorf("got %v", err)
		}
		if !slices.ContainsFunc(m.Diagnose(ctx, s), func(x service.Finding) bool {
			return x.Level == service.Problem && strings.Contains(x.Detail, "maintenance")
		}) {
			t.Errorf("%+v", m.Diagnose(ctx, s))
		}
		f.ends = false
		if err := m.Start(ctx, s); err != nil {
			t.Error(err)
		}
	})
}

func TestWhateverFailsNothingIsLeft(t *testing.T) {
	for _, step := range []string{"svccfg validate", "svccfg import", "svcadm disable -t", "svccfg -s", "chown", "ids", "manifest"} {
		t.Run(step, func(t *testing.T) {
			m, f := world(t)
			p := managertest.Plan(t, m, managertest.Plain())
			broken := errors.New("broken")
			switch step {
			case "chown":
				m.chown = func(string, int, int) error { return broken }
			case "ids":
				m.ids = func(string) (onefile.Owner, error) { return onefile.Owner{}, broken }
			case "manifest":
				managertest.Put(t, f.tree, "/lib/svc", "no folder")
			default:
				f.Fail[step] = broken
			}
			before := managertest.Snapshot(t, f.tree)
			if err := m.Apply(context.Background(), p); err == nil || step != "svccfg import" && strings.Contains(err.Error(), "match any entities") {
				t.Fatalf("got %v", err)
			}
			if after := managertest.Snapshot(t, f.tree); after != before || step != "svccfg import" && len(f.services) != 0 {
				t.Errorf("services %v; before:\n%s\nafter:\n%s", f.services, before, after)
			}
		})
	}
}

func TestAServiceOfKardianosIsTakenOver(t *testing.T) {
	for _, broken := range []bool{false, true} {
		m, f := world(t)
		theirs, err := os.ReadFile(filepath.Join("testdata", "kardianos.xml"))
		if err != nil {
			t.Fatal(err)
		}
		const path = "/lib/svc/manifest/application/web.xml"
		managertest.Put(t, f.tree, path, string(theirs))
		f.services["svc:/application/web:default"] = &instance{enabled: true, state: "online", pid: 5}
		p, err := m.Plan(context.Background(), managertest.Plain(), false)
		if err != nil || p.Replaces != "kardianos/service" || !p.Installed || !p.Changed() {
			t.Fatalf("%+v, %v", p, err)
		}
		if broken {
			f.Fail["svccfg -s"] = errors.New("broken")
		}
		if err := m.Apply(context.Background(), p); (err != nil) != broken {
			t.Fatal(err)
		}
		old := f.services["svc:/application/web:default"]
		if (old != nil) != broken || f.tree.Exists(path) != broken || broken && old.state != "online" {
			t.Errorf("broken %t: %+v, there %t", broken, old, f.tree.Exists(path))
		}
	}
}

func TestAForeignManifestIsLeftAlone(t *testing.T) {
	m, f := world(t)
	s := managertest.Plain()
	managertest.Put(t, f.tree, "/lib/svc/manifest/site/web.xml", "<service_bundle/>")
	managertest.Foreign(t, m, s)
}

func TestWhoIsNotRootIsToldWhatToDo(t *testing.T) {
	m, _ := world(t)
	ctx, s := context.Background(), managertest.Plain()
	p := managertest.Install(t, m, s)
	m.uid = 1001
	_, err := m.Remove(ctx, s, false)
	for _, err := range []error{m.Apply(ctx, p), m.Start(ctx, s), m.Stop(ctx, s), err} {
		if !errors.Is(err, service.ErrPermission) || !strings.Contains(err.Error(), "pfexec") {
			t.Errorf("got %v", err)
		}
	}
}

func TestTheLogIsThatOfTheRestarter(t *testing.T) {
	m, f := world(t)
	managertest.Put(t, f.tree, "/var/svc/log/site-web:default.log", "one\ntwo\n")
	var b bytes.Buffer
	if err := m.Logs(context.Background(), managertest.Plain(), service.LogQuery{Lines: 1}, &b); err != nil || b.String() != "- INFO  two\n" {
		t.Errorf("%q, %v", b.String(), err)
	}
}

func TestStatesOfTheRestarter(t *testing.T) {
	for pair, want := range map[string]service.State{
		"online none": service.Running, "online disabled": service.Stopping, "degraded none": service.Running, "offline online": service.Starting,
		"offline none": service.Starting, "maintenance none": service.Failed, "disabled none": service.Stopped, "disabled online": service.Starting, "odd none": service.Unknown,
	} {
		state, next, _ := strings.Cut(pair, " ")
		var st service.Status
		if read(&st, "restarter/state astring "+state+"\nrestarter/next_state astring "+next+"\n"); st.State != want {
			t.Errorf("%s: %s", pair, st.State)
		}
	}
}

func TestTheExecutableIsReadBackFromWhatIsInstalled(t *testing.T) {
	managertest.Each(t, func(t *testing.T, _ string, s service.Spec) {
		if got := launched(render(s, account(s), folders(s.ServiceName()))); got != s.Executable {
			t.Errorf("got %q, want %q", got, s.Executable)
		}
	})
	for _, foreign := range []string{"", "#!/bin/sh\n", "<plist/>"} {
		if got := launched(foreign); got != "" {
			t.Errorf("%q starts %q", foreign, got)
		}
	}
}

func TestWhatDoesNotBelongToTheServiceStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f := world(t)
		ownedtest.Run(t, m, managertest.Plain(), f.tree, folders("web"))
	})
}

func TestWhatAnOperatorHasChosenStays(t *testing.T) {
	m, f := world(t)
	ownedtest.Stays(t, m, managertest.Plain(), true, func(enabled bool) {
		for _, i := range f.services {
			i.enabled, i.override = enabled, nil // svcadm enable, disable
		}
	})
}
