//go:build unix

package script

import (
	"errors"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/test/managertest"
)

func TestLaunchd_AgentFile(t *testing.T) {
	m, _ := newLaunchdDouble(t, 501, "/Users/a")
	s := managertest.Plain()
	s.User = true
	p := managertest.Plan(t, m, s)
	if m.dialect.Layout(s).File != "/Users/a/Library/LaunchAgents/web.plist" {
		t.Errorf("it is %s", m.dialect.Layout(s).File)
	}
	managertest.Golden(t, "launchd/agent.plist", artefact(t, p, m.dialect.Layout(s).File).New)
}

func TestLaunchdPlist_SaysWhatWasMeant(t *testing.T) {
	managertest.Each(t, func(t *testing.T, _ string, s manage.Spec) {
		m, _ := newLaunchdDouble(t, 0, "/Users/a")
		l := m.dialect.Layout(s)
		account, _ := m.accountName(s)
		got, err := decodePlist(launchdPlist(s, account, l))
		if err != nil {
			t.Fatal(err)
		}
		args := []any{s.Executable}
		for _, a := range s.Arguments {
			args = append(args, a)
		}
		env := map[string]any{}
		for _, v := range Environment(s, l.Dirs) {
			env[v.Name] = v.Value
		}
		if !reflect.DeepEqual(got["ProgramArguments"], args) {
			t.Errorf("the arguments are\n%q\nnot\n%q", got["ProgramArguments"], args)
		}
		if !reflect.DeepEqual(got["EnvironmentVariables"], env) {
			t.Errorf("the environment is\n%q\nnot\n%q", got["EnvironmentVariables"], env)
		}
		if s.WorkingDirectory != "" && got["WorkingDirectory"] != s.WorkingDirectory {
			t.Errorf("the working directory is %q", got["WorkingDirectory"])
		}
		if got["ExitTimeOut"] != int((s.StopTimeout+margin)/time.Second) || got["Umask"] != 0o77 || got["UserName"] == nil {
			t.Errorf("got %v", got)
		}
	})
}

func FuzzLaunchdPlist_AnyArgumentArrives(f *testing.F) {
	for _, v := range managertest.Hostile() {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v string) {
		s := managertest.Plain()
		s.Description, s.Arguments, s.Environment = v, []string{v}, map[string]string{"V": v}
		if s.Check() != nil || checkXML(s) != nil {
			return
		}
		got, err := decodePlist(launchdPlist(s, nobody, Layout{}))
		if err != nil {
			t.Fatal(err)
		}
		if got["ProgramArguments"].([]any)[1] != v || got["EnvironmentVariables"].(map[string]any)["V"] != v {
			t.Errorf("%q came as %q", v, got)
		}
	})
}

func TestLaunchdLost(t *testing.T) {
	text, err := os.ReadFile("testdata/launchd/kardianos.plist")
	if err != nil {
		t.Fatal(err)
	}
	old := string(text)
	root := manage.Spec{Config: service.Config{Executable: "/usr/local/bin/web", Account: "root"}}
	if got := launchdLost(old, root, "root"); got != nil {
		t.Errorf("as it was: %q", got)
	}
	want := manage.FormerRoot("_web")
	if got := launchdLost(old, root, "_web"); !slices.Equal(got, want) {
		t.Errorf("as another: %q, want %q", got, want)
	}
	old = strings.NewReplacer("bin/web</string>\n", "bin/web</string>\n\t\t<string>-a &amp; b</string>\n",
		"\t<key>KeepAlive", "\t<key>EnvironmentVariables</key>\n\t<dict>\n\t\t<key>A</key>\n\t\t<string>1</string>\n\t\t<key>B</key>\n\t\t<string>2</string>\n\t</dict>\n\t<key>Nice</key>\n\t<integer>5</integer>\n\t<key>KeepAlive",
		"\t</dict>\n</plist>", "\t<key>UserName</key>\n\t<string>bob</string>\n\t<key>WorkingDirectory</key>\n\t<string>/srv</string>\n\t</dict>\n</plist>").Replace(old)
	const before, after = "the service that is replaced had ", ": it is not carried over"
	want = []string{
		before + "Nice: <integer>5</integer>" + after,
		before + "ProgramArguments: <array> <string>/usr/local/bin/web</string> <string>-a &amp; b</string> </array>" + after,
		before + "UserName: <string>bob</string>" + after,
		before + "WorkingDirectory: <string>/srv</string>" + after,
		before + "the variable B=2" + after,
	}
	root.Environment = map[string]string{"A": "1", "B": "3"}
	if got := launchdLost(old, root, "root"); !slices.Equal(got, want) {
		t.Errorf("it says\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	all := manage.Spec{Config: service.Config{Executable: "/usr/local/bin/web", Arguments: []string{"-a & b"}, Environment: map[string]string{"A": "1", "B": "2"}, WorkingDirectory: "/srv"}}
	if got := launchdLost(old, all, "bob"); !slices.Equal(got, want[:1]) {
		t.Errorf("with all of it: %q", got)
	}
}

func TestCheckXML(t *testing.T) {
	s := managertest.Plain()
	s.Arguments = []string{"a\ufffe"}
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"launchd", "smf"} {
		if _, err := doubles[name](t).Plan(t.Context(), s, true); !errors.Is(err, manage.ErrConfig) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
