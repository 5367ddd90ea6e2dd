//go:build linux

package manage

import (
	"fmt"
	"testing"

	"github.com/go-glidepath/glidepath/internal/test/e2e/manage/scenario"
	"github.com/go-glidepath/glidepath/internal/test/e2e/manage/talk"
)

// runtimeSocket has a socket in the service's own runtime folder, which systemd removes each
// time the service stops.
func runtimeSocket(t *testing.T, b *systemd) {
	name := scenario.NewName()
	address := "/run/" + name + "/door"
	s := scenario.New(t, b, talk.Setup{
		Name: name, StartType: "socket",
		Sockets: []talk.Socket{{Name: "door", Network: "unix", Address: address}},
	})
	t.Cleanup(func() { b.systemctl(t, "stop", name+"-door.socket") })
	for range 2 {
		s.Do(0, "install", "--now")
		for _, after := range []struct {
			what string
			do   func()
		}{
			{"install", func() {}},
			{"a restart", func() { b.systemctl(t, "restart", name) }},
			{"a restart by the command", func() { s.Do(0, "restart") }},
			{"a stop", func() { b.systemctl(t, "stop", name) }},
			{"an end by SIGKILL", func() { b.systemctl(t, "kill", "--signal=KILL", name) }},
			{"a start of the socket", func() { s.Do(0, "stop"); b.systemctl(t, "start", name+"-door.socket") }},
		} {
			after.do()
			said := b.knock(t, address)
			scenario.Eventually(t, func() string {
				if said := b.Says(t, name); !said.Running {
					return fmt.Sprintf("after %s: %+v", after.what, said)
				}
				return ""
			})
			if g := s.Runs(); said != fmt.Sprintf("door %d\n", g.PID) {
				t.Errorf("after %s the door says %q, want the process %d", after.what, said, g.PID)
			}
		}
		s.Do(0, "uninstall")
		if b.exists("/run/" + name) {
			t.Errorf("/run/%s is still there", name)
		}
	}
}
