//go:build unix

package script

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

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/account"
	"github.com/go-glidepath/glidepath/internal/test/managertest"
)

// expandMethod does what svc.startd does with the tokens of a method.
func expandMethod(t *testing.T, method string) string {
	t.Helper()
	return regexp.MustCompile(`%.?`).ReplaceAllStringFunc(method, func(token string) string {
		if token != "%%" {
			t.Errorf("the token %q in %s", token, method)
		}
		return "%"
	})
}

func TestSMFManifest_ArgumentsAndEnvironmentArrive(t *testing.T) {
	specs := managertest.Specs()
	for _, name := range []string{"hostile", "everything", "instance"} {
		managertest.EachShell(t, func(t *testing.T, shell []string) {
			s := specs[name]
			dir := t.TempDir()
			s.Executable = dir + "/bin" + s.Executable
			s.WorkingDirectory = dir + "/a 'folder' & <more>"
			if err := os.MkdirAll(s.WorkingDirectory, 0o755); err != nil {
				t.Fatal(err)
			}
			managertest.Recorder(t, s.Executable, dir, "")
			b := parseManifest(t, smfManifest(s, "web", smf{}.Layout(s)))
			cmd := exec.Command(shell[0], append(shell[1:], "-c", expandMethod(t, b.Service.Methods[0].Exec))...)
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

func TestSMFManifest_TellsSMFWhatToDo(t *testing.T) {
	s := managertest.Specs()["everything"]
	b := parseManifest(t, smfManifest(s, s.Account, smf{}.Layout(s)))
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
	for profile, want := range map[service.Profile]string{service.Strict: "basic,!proc_info,!proc_session,!file_link_any", service.LowPorts: "basic,!proc_info,!proc_session,!file_link_any,net_privaddr", service.Unconfined: ""} {
		s := managertest.Plain()
		s.Hardening.Profile = profile
		if got := parseManifest(t, smfManifest(s, "web", smf{}.Layout(s))).Service.Context.Credential.Privileges; got != want {
			t.Errorf("%s: %q", profile, got)
		}
	}
}

func TestSMFIdentifier(t *testing.T) {
	for name, want := range map[string]string{"web": "web", "my-web_1": "my-web_1", "my.web": "my_2eweb", "9p": "n_39p"} {
		if got := smfIdentifier(name); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestSMF_InstallDoesNotChangeWhetherItRunsNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f := newSMFDouble(t)
		ctx, s := context.Background(), managertest.Plain()
		managertest.Install(t, m, s)
		i := f.services["svc:/site/web:default"]
		i.override = nil // the machine was rebooted
		i.settle(f)
		for _, start := range []service.StartType{service.Manual, service.Automatic, service.Disabled} {
			s.StartType = start
			managertest.Install(t, m, s)
			if st, err := m.Status(ctx, s); err != nil || st.State != service.Running || (st.StartType == service.Automatic) != (start == service.Automatic) {
				t.Errorf("%s: %+v, %v", start, st, err)
			}
		}
		if err := m.Stop(ctx, s); err != nil {
			t.Fatal(err)
		}
		s.StartType = service.Automatic
		managertest.Install(t, m, s)
		if st, err := m.Status(ctx, s); err != nil || st.State != service.Stopped || st.StartType != service.Automatic {
			t.Errorf("%+v, %v", st, err)
		}
	})
}

func TestSMF_StartClearsMaintenance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f := newSMFDouble(t)
		f.ends = true
		ctx, s := context.Background(), managertest.Plain()
		managertest.Install(t, m, s)
		if err := m.Start(ctx, s); err == nil || !strings.Contains(err.Error(), "maintenance") {
			t.Errorf("got %v", err)
		}
		if !slices.ContainsFunc(m.Diagnose(ctx, s), func(x manage.Finding) bool {
			return x.Level == manage.Problem && strings.Contains(x.Detail, "maintenance")
		}) {
			t.Errorf("%+v", m.Diagnose(ctx, s))
		}
		f.ends = false
		if err := m.Start(ctx, s); err != nil {
			t.Error(err)
		}
	})
}

func TestSMF_FailedInstallationLeavesNothing(t *testing.T) {
	for _, step := range []string{"svccfg validate", "svccfg import", "svcadm disable -t", "svccfg -s", "chown", "ids", "manifest"} {
		t.Run(step, func(t *testing.T) {
			m, f := newSMFDouble(t)
			p := managertest.Plan(t, m, managertest.Plain())
			broken := errors.New("broken")
			switch step {
			case "chown":
				m.Chown = func(string, int, int) error { return broken }
			case "ids":
				m.Lookup = func(context.Context, string) (account.Account, bool, error) { return account.Account{}, false, broken }
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

func TestSMF_TakesOverAServiceOfKardianos(t *testing.T) {
	for _, broken := range []bool{false, true} {
		m, f := newSMFDouble(t)
		theirs, err := os.ReadFile(filepath.Join("testdata", "smf", "kardianos.xml"))
		if err != nil {
			t.Fatal(err)
		}
		const path = "/lib/svc/manifest/application/web.xml"
		managertest.Put(t, f.tree, path, string(theirs))
		f.services["svc:/application/web:default"] = &smfInstance{enabled: true, state: "online", pid: 5}
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

func TestSMF_StatesOfTheRestarter(t *testing.T) {
	for pair, want := range map[string]service.State{
		"online none": service.Running, "online disabled": service.Stopping, "degraded none": service.Running, "offline online": service.Starting,
		"offline none": service.Starting, "maintenance none": service.Failed, "disabled none": service.Stopped, "disabled online": service.Starting, "odd none": service.Unknown,
	} {
		state, next, _ := strings.Cut(pair, " ")
		var st service.Status
		if smfRead(&st, "restarter/state astring "+state+"\nrestarter/next_state astring "+next+"\n"); st.State != want {
			t.Errorf("%s: %s", pair, st.State)
		}
	}
}

func TestSMF_StatusSaysSinceWhen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := newSMFDouble(t)
		managertest.Install(t, m, managertest.Plain())
		if err := m.Start(t.Context(), managertest.Plain()); err != nil {
			t.Fatal(err)
		}
		if st := managertest.Is(t, m, managertest.Plain(), service.Running); st.PID == 0 || st.Since.Unix() != 1700000000 {
			t.Errorf("got %+v", st)
		}
	})
}

func TestSMFLost(t *testing.T) {
	text, err := os.ReadFile("testdata/smf/kardianos.xml")
	if err != nil {
		t.Fatal(err)
	}
	s := manage.Spec{Config: service.Config{Executable: "/usr/local/bin/web"}}
	if got := smfLost(string(text), s, "root"); got != nil {
		t.Errorf("as it was: %q", got)
	}
	if got, want := smfLost(string(text), s, "web"), manage.FormerRoot("web"); !slices.Equal(got, want) {
		t.Errorf("as another: %q, want %q", got, want)
	}
	old := strings.NewReplacer("bin/web &amp;", "bin/web -v &amp;", "<single_instance />", `<!-- <propval name='a'/> --><method_context><method_environment><envvar name="A" value="1"/></method_environment></method_context>`).Replace(string(text))
	const before, after = "the service that is replaced had ", ": it is not carried over"
	want := []string{before + "the start method bash -c /usr/local/bin/web -v &" + after, before + `<envvar name="A" value="1"/>` + after, before + "<method_context>" + after}
	if got := smfLost(old, s, "root"); !slices.Equal(got, want) {
		t.Errorf("it says %q, want %q", got, want)
	}
}

func TestSMFFits(t *testing.T) {
	for _, c := range []struct {
		spec manage.Spec
		want string
	}{
		{manage.Spec{Config: service.Config{Executable: "/web", Arguments: []string{strings.Repeat("x", 4095-len("umask 077; exec /web "))}}}, ""},
		{manage.Spec{Config: service.Config{Executable: "/web", Arguments: []string{strings.Repeat("x", 4096-len("umask 077; exec /web "))}}}, "the start method, which is Executable and Arguments with quotes, has 4096 bytes: SMF takes at most 4095"},
		{manage.Spec{Config: service.Config{Environment: map[string]string{"A": strings.Repeat("x", 4093)}}}, ""},
		{manage.Spec{Config: service.Config{Environment: map[string]string{"A": strings.Repeat("x", 4094)}}}, "Environment[A] has 4096 bytes with its name: SMF takes at most 4095"},
	} {
		got := ""
		if err := smfFits(c.spec); err != nil {
			got = strings.TrimPrefix(err.Error(), manage.ErrConfig.Error()+": ")
		}
		if got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
