//go:build unix

package daemon

import (
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
)

func TestCall_IsWhatAnOperatorTypes(t *testing.T) {
	root := calling{program: "./web", full: "./web"}
	bob := calling{program: "web", full: "/home/bob/bin/web", sudo: "sudo "}
	for _, test := range []struct {
		calling   calling
		mountPath []string
		config    service.Config
		name      string
		o         options
		own       []string
		want      string
	}{
		{calling: root, name: "start", want: "./web start"},
		{calling: calling{program: "/opt/my web/web"}, name: "start", want: "'/opt/my web/web' start"},
		{calling: bob, name: "start", want: "sudo /home/bob/bin/web start"},
		{calling: bob, name: "status", want: "web status"},
		{calling: bob, name: "start", o: options{user: true}, want: "web start --user"},
		{calling: bob, name: "start", config: service.Config{User: true}, want: "web start"},
		{calling: bob, name: "restart", o: options{instance: "a"}, want: "sudo /home/bob/bin/web restart --instance a"},
		{calling: root, name: "install", own: []string{"-title", "a b"}, want: "./web -title 'a b' install"},
		{calling: bob, mountPath: []string{"--addr", ":1 2", "service"}, name: "stop", want: "sudo /home/bob/bin/web --addr ':1 2' service stop"},
	} {
		t.Run(test.want, func(t *testing.T) {
			c := commandLine{config: Config{Name: "web", Service: test.config}, calling: test.calling, mountPath: test.mountPath}
			if got := c.call(test.name, test.o, test.own...); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
