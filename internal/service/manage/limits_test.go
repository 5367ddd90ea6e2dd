package manage

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
)

// problem is the only thing that is wrong with s, "" if nothing is.
func problem(t *testing.T, s Spec) string {
	t.Helper()
	err := s.Check()
	if err == nil {
		return ""
	}
	said, ok := strings.CutPrefix(err.Error(), ErrConfig.Error()+": ")
	if !errors.Is(err, ErrConfig) || !ok {
		t.Fatalf("%v is not an ErrConfig", err)
	}
	return said
}

func TestNamesAreLimitedTogether(t *testing.T) {
	n := func(length int) string { return strings.Repeat("n", length) }
	for _, c := range []struct {
		name, socket, instance string
		want                   string
	}{
		{n(200), "", "", ""},
		{n(100), n(100), "", ""},
		{n(101), n(100), "", `Sockets makes a name of 201 bytes of "` + n(100) + `" and the service's: want at most 200`},
		{n(99), "", n(100), ""},
		{n(100), "", n(100), "Instance makes a name of 201 bytes with the service's: want at most 200"},
		{n(80), n(80), n(86), ""}, // 80-80@86.socket
		{n(80), n(80), n(87), `Sockets makes a name of 256 bytes of "` + n(80) + `", the service's and the instance's: want at most 255`},
	} {
		s := sound()
		s.Name, s.Instance, s.Template, s.Sockets = c.name, c.instance, c.instance != "", nil
		if c.socket != "" {
			s.Sockets = []service.Socket{{Name: c.socket, Network: "tcp", Address: ":80"}}
		}
		if got := problem(t, s); got != c.want {
			t.Errorf("names of %d, %d and %d bytes: %q, want %q", len(c.name), len(c.socket), len(c.instance), got, c.want)
		}
	}
}

// TestTheLongestCommandLines has the numbers of execve(2).
func TestTheLongestCommandLines(t *testing.T) {
	x := func(length int) string { return strings.Repeat("x", length) }
	many := func(total int) (args []string) { // of so many bytes, with a NUL and a pointer each
		for ; total > 0; total -= 1000 {
			args = append(args, x(min(total, 1000)-9))
		}
		return args
	}
	const others = 8<<10 + len("/web") + 9
	for _, c := range []struct {
		goos  string
		args  []string
		value string
		want  string
	}{
		{"linux", []string{x(131071)}, "", ""},
		{"linux", []string{"a", x(131072)}, "", "Arguments[1] has 131072 bytes: Linux starts nothing with more than 131071 in one argument or variable"},
		{"linux", nil, x(131071 - len("A=")), ""},
		{"linux", nil, x(131071 - len("A=") + 1), "Environment[A] has 131072 bytes: Linux starts nothing with more than 131071 in one argument or variable"},
		{"linux", many(2<<20 - others), "", ""},
		{"linux", many(2<<20 - others + 1), "", "Arguments and Environment have 2097153 bytes together, with what the manager adds: linux starts nothing with more than 2097152"},
		{"darwin", []string{x(131072)}, "", ""},
		{"darwin", many(1<<20 - others + 1), "", "Arguments and Environment have 1048577 bytes together, with what the manager adds: darwin starts nothing with more than 1048576"},
		{"freebsd", many(512<<10 - others), "", ""},
		{"netbsd", many(256<<10 - others + 1), "", "Arguments and Environment have 262145 bytes together, with what the manager adds: netbsd starts nothing with more than 262144"},
		{"windows", many(4 << 20), "", ""}, // package winsvc has those
	} {
		s := Spec{Config: service.Config{Executable: "/web", Arguments: c.args}}
		if c.value != "" {
			s.Environment = map[string]string{"A": c.value}
		}
		var k checker
		s.checkSize(&k, c.goos)
		got := ""
		if len(k.errs) > 0 {
			got = strings.TrimPrefix(errors.Join(k.errs...).Error(), ErrConfig.Error()+": ")
		}
		if got != c.want {
			t.Errorf("%d arguments on %s: %q, want %q", len(c.args), c.goos, got, c.want)
		}
	}
}

func TestALongArgumentIsRefusedByCheck(t *testing.T) {
	s := sound()
	s.Arguments = []string{strings.Repeat("x", 4<<20)}
	if err := s.Check(); maxExec(runtime.GOOS) > 0 && err == nil {
		t.Error("it was let through")
	}
}

func TestAServiceDoesNotWaitForItself(t *testing.T) {
	for want, spoil := range map[string]func(*Spec){
		"Dependencies has the service itself":                            func(s *Spec) { s.Dependencies = []string{"web"} },
		"Dependencies has the service itself ":                           func(s *Spec) { s.Dependencies = []string{"web.service"} },
		"Windows.Dependencies has the service itself, WEB":               func(s *Spec) { s.Windows.Dependencies = []string{"WEB"} },
		`OpenRC.Depend has the service itself: "need db web"`:            func(s *Spec) { s.OpenRC.Depend = []string{"need db web"} },
		`Systemd has the service itself: "After=db.service web.service"`: func(s *Spec) { s.Systemd.Unit = []string{"After=db.service web.service"} },
		`Systemd has the service itself: "Requires=%n"`:                  func(s *Spec) { s.Systemd.Unit = []string{"Requires=%n"} },
		"":                                      func(s *Spec) { s.Systemd.Unit = []string{"After=web-http.socket", "Description=web.service"} },
		" ":                                     func(s *Spec) { s.OpenRC.Depend = []string{"provide web", "need web2"} },
		"  ":                                    func(s *Spec) { s.Windows.Dependencies, s.Dependencies = []string{"+web", "web2"}, []string{"Web"} },
		"   ":                                   func(s *Spec) { s.Template, s.Instance, s.Dependencies = true, "a", []string{"web@b"} },
		"Dependencies has the service itself  ": func(s *Spec) { s.Template, s.Instance, s.Dependencies = true, "a", []string{"web@a"} },
	} {
		s := sound()
		spoil(&s)
		if got := problem(t, s); got != strings.TrimRight(want, " ") {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestSocketsDoNotGetInEachOthersWay(t *testing.T) {
	for _, c := range []struct {
		network, a, b string
		clash         bool
	}{
		{"tcp", "127.0.0.1:80", "127.0.0.1:80", true},
		{"tcp", "127.0.0.1:80", "127.0.0.1:080", true},
		{"tcp", "127.0.0.1:80", "127.0.0.1:81", false},
		{"tcp", "127.0.0.1:80", "127.0.0.2:80", false},
		{"tcp", ":80", "127.0.0.1:80", true},
		{"tcp", "[::1]:80", ":80", true},
		{"tcp", "0.0.0.0:80", "127.0.0.1:80", true},
		{"tcp", "0.0.0.0:80", "[::1]:80", false},
		{"tcp", "0.0.0.0:80", "[::]:80", true},
		{"tcp", "[::]:80", "127.0.0.1:80", true},
		{"udp", "127.0.0.1:80", "127.0.0.1:80", true},
		{"unix", "/run/a", "/run/a", true},
		{"unix", "/run/a", "/var/run/a", true},
		{"unix", "/run/a", "/run/b", false},
	} {
		s := sound()
		s.Sockets = []service.Socket{{Name: "a", Network: c.network, Address: c.a}, {Name: "b", Network: c.network, Address: c.b}}
		want := ""
		if c.clash {
			want = fmt.Sprintf("Sockets.b is %s, where Sockets.a listens already", c.b)
		}
		if got := problem(t, s); got != want {
			t.Errorf("%s and %s: %q, want %q", c.a, c.b, got, want)
		}
	}
	s := sound()
	s.Sockets = []service.Socket{{Name: "a", Network: "tcp", Address: "127.0.0.1:80"}, {Name: "b", Network: "udp", Address: "127.0.0.1:80"}}
	if got := problem(t, s); got != "" {
		t.Errorf("TCP and UDP: %q", got)
	}
}

func TestWhereSocketsListen(t *testing.T) {
	for _, c := range []struct {
		profile     service.Profile
		network, at string
		want        string
	}{
		{service.Strict, "unix", "/run/" + strings.Repeat("x", 102), ""},
		{service.Strict, "unix", "/run/" + strings.Repeat("x", 103), "Sockets.a has a path of 108 bytes: a socket has at most 107"},
		{service.Localhost, "tcp", "127.0.0.1:80", ""},
		{service.Localhost, "tcp", "[::1]:80", ""},
		{service.Localhost, "tcp", ":80", ""},
		{service.Localhost, "tcp", "0.0.0.0:80", ""},
		{service.Network, "tcp", "192.0.2.1:80", ""},
		{service.Localhost, "tcp", "192.0.2.1:80", `Sockets.a is 192.0.2.1:80, where nobody reaches a service with Hardening.Profile "localhost": want an address of this machine alone, such as 127.0.0.1`},
	} {
		s := sound()
		s.Hardening.Profile, s.Sockets = c.profile, []service.Socket{{Name: "a", Network: c.network, Address: c.at}}
		if got := problem(t, s); got != c.want {
			t.Errorf("%s: %q, want %q", c.at, got, c.want)
		}
	}
}
