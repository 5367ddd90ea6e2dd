//go:build linux

package manage

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/test/e2e/manage/scenario"
	"github.com/go-glidepath/glidepath/internal/test/e2e/manage/talk"
)

// another is a service of somebody else that needs one of these tests.
type another struct {
	name  string
	start func()
	runs  func() bool
}

// dependents stops, restarts and uninstalls a service that another one needs, which the
// manager stops along.
func dependents(t *testing.T, b scenario.Bed, put func(needs string) another) {
	s := scenario.New(t, b, talk.Setup{})
	s.Do(0, "install", "--now")
	other := put(s.Name)
	is := func(runs bool, after string) {
		t.Helper()
		scenario.Eventually(t, func() string {
			if other.runs() != runs {
				return fmt.Sprintf("after %s, that the other one runs is %t", after, !runs)
			}
			return ""
		})
	}
	other.start()
	is(true, "start")
	for _, flags := range [][]string{nil, {"--dependents"}} {
		if said, want := s.Do(0, append([]string{"stop"}, flags...)...), s.Name+": also stopped: "+other.name+"\n"; !strings.Contains(said, want) {
			t.Errorf("stop says\n%s, want\n%s", said, want)
		}
		is(false, "stop")
		if said := s.Do(0, "stop"); strings.Contains(said, "also stopped") {
			t.Errorf("once more, it says\n%s", said)
		}
		s.Do(0, "start")
		other.start()
		before := s.Runs()
		s.Do(0, append([]string{"restart"}, flags...)...)
		s.Ended(before)
		is(true, "restart")
	}
	if said, want := s.Do(0, "uninstall"), "services that still need it: "+other.name+"\n"; !strings.Contains(said, want) {
		t.Errorf("uninstall says\n%s, want\n%s", said, want)
	}
	is(false, "uninstall")
}

func (b *systemd) dependents(t *testing.T) {
	dependents(t, b, func(needs string) another {
		name := scenario.NewName() + ".service"
		file := b.machine.Path("/etc/systemd/system/" + name)
		text := "[Unit]\nRequires=" + needs + ".service\nAfter=" + needs + ".service\n\n[Service]\nExecStart=/bin/sleep infinity\n"
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		b.settled()
		t.Cleanup(func() {
			forget(name, func(args ...string) { b.systemctl(t, args...) })
			if err := os.Remove(file); err != nil {
				t.Error(err)
			}
			b.settled()
		})
		return another{
			name, func() { b.systemctl(t, "start", name) },
			func() bool { return b.systemctl(t, "is-active", name).Code == 0 },
		}
	})
}

func (b *openrc) dependents(t *testing.T) {
	dependents(t, b, func(needs string) another {
		name := scenario.NewName()
		b.script(t, name, "#!/sbin/openrc-run\ncommand=/bin/sleep\ncommand_args=infinity\ncommand_background=yes\npidfile=/run/"+name+".pid\ndepend() { need "+needs+"; }\n")
		b.tool(t, "rc-update", "--update") // OpenRC compares times in whole seconds, and would miss the new script
		t.Cleanup(func() { b.Forget(t, name) })
		return another{
			name, func() { b.tool(t, "rc-service", name, "start") },
			func() bool { return b.tool(t, "rc-service", name, "status").Code == 0 },
		}
	})
}
