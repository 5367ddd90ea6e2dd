package manage

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/go-glidepath/glidepath/daemon/service"
)

func sound() Spec {
	return Spec{
		Config: service.Config{
			Executable:   "/opt/My Prögram/web",
			Arguments:    []string{"-a", "", "x y", `"$HOME" %h \`, "\t"},
			Environment:  map[string]string{"A_1": "x=y z"},
			StartType:    service.Automatic,
			Recovery:     service.Recovery{Delays: []time.Duration{time.Second}, ResetPeriod: time.Minute},
			Watchdog:     30 * time.Second,
			Dependencies: []string{"network", "db@a"},
			Hardening:    service.Hardening{Profile: service.Strict, Capabilities: []string{"CAP_NET_ADMIN"}, AddressFamilies: []string{"AF_PACKET"}, WritablePaths: []string{"/srv"}},
			Sockets:      []service.Socket{{Name: "http", Network: "tcp", Address: ":80"}, {Name: "v6", Network: "udp", Address: "[::1]:53"}, {Name: "ctl", Network: "unix", Address: "/run/web/ctl"}},
			Systemd:      service.Systemd{Unit: []string{"RequiresMountsFor=/srv"}, Credentials: map[string]string{"key": "/etc/key"}},
			Windows:      service.Windows{Dependencies: []string{"+group", "W32Time"}, SecurityDescriptor: "D:(A;;GA;;;BA)"},
			OpenRC:       service.OpenRC{Depend: []string{"use dns", "after *"}},
		},
		Name:         "web",
		DisplayName:  "Web",
		Description:  "serves",
		StartTimeout: time.Minute,
		StopTimeout:  time.Minute,
	}
}

func TestASoundServiceIsLetThrough(t *testing.T) {
	s := sound()
	if s.Name = "web"; s.Check() != nil {
		t.Error(s.Check())
	}
	s.Executable = `C:\Program Files\web\web.exe` // rendered on another system
	s.OpenRC.Depend = nil
	if err := s.Check(); err != nil {
		t.Error(err)
	}
}

func TestWhatIsWrongIsNamed(t *testing.T) {
	for want, spoil := range map[string]func(*Spec){
		"Name is":                     func(s *Spec) { s.Name = "we\nb" },
		"Executable is":               func(s *Spec) { s.Executable = "web" },
		"Executable is \"/opt/../":    func(s *Spec) { s.Executable = "/opt/../web" },
		"WorkingDirectory is":         func(s *Spec) { s.WorkingDirectory = "srv" },
		"Arguments[1] is":             func(s *Spec) { s.Arguments = []string{"a", "b\nExecStart=/evil"} },
		"Arguments[0] is":             func(s *Spec) { s.Arguments = []string{"a\x00b"} },
		"want UTF-8":                  func(s *Spec) { s.Arguments = []string{"\xff"} },
		"Description is":              func(s *Spec) { s.Description = "a\r" },
		"DisplayName is":              func(s *Spec) { s.DisplayName = "a\u2028b" },
		`Environment has "A=B"`:       func(s *Spec) { s.Environment = map[string]string{"A=B": ""} },
		`Environment has "1"`:         func(s *Spec) { s.Environment = map[string]string{"1": ""} },
		"Environment has NOTIFY_SOCK": func(s *Spec) { s.Environment = map[string]string{"NOTIFY_SOCKET": "x"} },
		"Environment[A] is":           func(s *Spec) { s.Environment = map[string]string{"A": "\n"} },
		"Instance makes a name of 201": func(s *Spec) {
			s.Template, s.Name, s.Instance = true, strings.Repeat("n", 100), strings.Repeat("i", 100)
		},
		"Sockets makes a name of 201": func(s *Spec) { s.Name = strings.Repeat("n", 197) },
		"Account is":                  func(s *Spec) { s.Account, s.User = "root", true },
		"Account is \"a\\nb\"":        func(s *Spec) { s.Account = "a\nb" },
		"Instance is \"a\", but":      func(s *Spec) { s.Instance = "a" },
		"Instance is \"-a\": want":    func(s *Spec) { s.Template, s.Instance = true, "-a" },
		"StartType is \"never\"":      func(s *Spec) { s.StartType = "never" },
		"there are no Sockets":        func(s *Spec) { s.StartType, s.Sockets = service.OnSocket, nil },
		"Dependencies has \"a b\"":    func(s *Spec) { s.Dependencies = []string{"a b"} },
		"Dependencies has the serv":   func(s *Spec) { s.Dependencies = []string{"web"} },
		"StopTimeout is":              func(s *Spec) { s.StopTimeout = -1 },
		"Watchdog is 1ms":             func(s *Spec) { s.Watchdog = time.Millisecond },
		"Recovery.Delays are none":    func(s *Spec) { s.Recovery.Delays = nil },
		"Recovery.Delays is":          func(s *Spec) { s.Recovery.Delays = []time.Duration{-1} },
		"Recovery.Delays are 1001":    func(s *Spec) { s.Recovery.Delays = make([]time.Duration, 1001) },
		"Hardening.Profile is":        func(s *Spec) { s.Hardening.Profile = "soft" },
		"Hardening.WritablePaths is":  func(s *Spec) { s.Hardening.WritablePaths = []string{"x"} },
		"Hardening.Capabilities has":  func(s *Spec) { s.Hardening.Capabilities = []string{"CAP NET"} },
		`has "NET_ADMIN": want`:       func(s *Spec) { s.Hardening.Capabilities = []string{"NET_ADMIN"} },
		"Hardening.AddressFamilies":   func(s *Spec) { s.Hardening.AddressFamilies = []string{"INET"} },
		"FileDescriptorStore is -1":   func(s *Spec) { s.FileDescriptorStore = -1 },
		"Limits.CPU is -1":            func(s *Spec) { s.Limits.CPU = -1 },
		"Limits.CPU is NaN":           func(s *Spec) { s.Limits.CPU = math.NaN() },
		"Limits.LogRecords is 1":      func(s *Spec) { s.Limits.LogRecords = MaxLogRecords + 1 },
		"has the name \"\"":           func(s *Spec) { s.Sockets[0].Name = "" },
		"has the name \"v6\" twice":   func(s *Spec) { s.Sockets[0].Name = "v6" },
		"has the network":             func(s *Spec) { s.Sockets[0].Network = "sctp" },
		"has the address \"80\"":      func(s *Spec) { s.Sockets[0].Address = "80" },
		"has the address \":0\"":      func(s *Spec) { s.Sockets[0].Address = ":0" },
		"has the address \"web:80\"":  func(s *Spec) { s.Sockets[0].Address = "web:80" },
		"Sockets.ctl is":              func(s *Spec) { s.Sockets[2].Address = "ctl" },
		"Systemd has \"[Install]\"":   func(s *Spec) { s.Systemd.Service = []string{"[Install]"} },
		"Systemd has \"A=b\\\\\"":     func(s *Spec) { s.Systemd.Unit = []string{`A=b\`} },
		"Systemd is \"A=\\nB=\"":      func(s *Spec) { s.Systemd.Unit = []string{"A=\nB="} },
		"Credentials has \"/a:b\"":    func(s *Spec) { s.Systemd.Credentials = map[string]string{"a": "/a:b"} },
		"Credentials has the name":    func(s *Spec) { s.Systemd.Credentials = map[string]string{"a:b": "/a"} },
		"Windows.Dependencies has":    func(s *Spec) { s.Windows.Dependencies = []string{`a\b`} },
		"Windows.SecurityDescriptor":  func(s *Spec) { s.Windows.SecurityDescriptor = "\n" },
		"has CAP_NO_SUCH, which":      func(s *Spec) { s.Hardening.Capabilities = []string{"CAP_NO_SUCH"} },
		"has AF_PAKET, which":         func(s *Spec) { s.Hardening.AddressFamilies = []string{"AF_PAKET"} },
		"Limits.OpenFiles is 18":      func(s *Spec) { s.Limits.OpenFiles = 18 },
		"OpenFiles is 99: want at least 119": func(s *Spec) {
			s.Limits.OpenFiles, s.FileDescriptorStore = 99, 100
		},
		"OpenRC.Depend has": func(s *Spec) { s.OpenRC.Depend = []string{"use $(id)"} },
	} {
		s := sound()
		spoil(&s)
		if err := s.Check(); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestAllThatIsWrongIsNamed(t *testing.T) {
	s := sound()
	s.Name, s.Executable, s.StartType = "\n", "x", "y"
	if n := strings.Count(s.Check().Error(), ErrConfig.Error()); n != 3 {
		t.Errorf("%d complaints: %v", n, s.Check())
	}
}

func FuzzNothingThatIsLetThroughHasASecondLine(f *testing.F) {
	f.Add("a", "b", "c")
	f.Add("a\n", "\r", "\v")
	f.Fuzz(func(t *testing.T, arg, value, description string) {
		s := sound()
		s.Arguments, s.Environment["A_1"], s.Description = []string{arg}, value, description
		if s.Check() != nil {
			return
		}
		for _, x := range []string{arg, value, description} {
			if strings.ContainsFunc(x, func(r rune) bool {
				return r != '\t' && unicode.IsControl(r) || r == unicode.ReplacementChar && !strings.Contains(x, "�")
			}) {
				t.Errorf("%q was let through", x)
			}
		}
	})
}
