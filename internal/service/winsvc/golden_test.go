package winsvc

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/diff"
)

var update = flag.Bool("update", false, "write the golden files")

// goldens returns changes to a specification, by what is special about each.
func goldens() map[string]func(f *fake, s *manage.Spec) {
	profile := func(p service.Profile) func(*fake, *manage.Spec) {
		return func(_ *fake, s *manage.Spec) { s.Hardening.Profile = p }
	}
	return map[string]func(f *fake, s *manage.Spec){
		"profile-strict":     profile(service.Strict),
		"profile-network":    profile(service.Network),
		"profile-localhost":  profile(service.Localhost),
		"profile-low-ports":  profile(service.LowPorts),
		"profile-lenient":    profile(service.Lenient),
		"profile-no-sandbox": profile(service.Unconfined),
		"everything": func(f *fake, s *manage.Spec) {
			withData(f)
			*s = rich()
		},
		"least": func(_ *fake, s *manage.Spec) {
			*s = manage.Spec{
				Config: service.Config{
					Executable: `C:\web.exe`,
					StartType:  service.Manual,
					Recovery:   service.Recovery{Never: true},
					Hardening:  service.Hardening{Profile: service.Strict},
				},
				Name: "web",
			}
		},
		"awkward": func(_ *fake, s *manage.Spec) {
			s.Arguments = awkward
			s.Environment = map[string]string{"QUOTES": `"a" 'b'`, "PERCENT": "%PATH%", "DOLLAR": "$HOME", "BACKSLASH": `a\`, "EMPTY": "", "SPACES": " a  b "}
		},
		"disabled": func(_ *fake, s *manage.Spec) { s.StartType = service.Disabled },
		"delayed":  func(_ *fake, s *manage.Spec) { s.StartType = service.Delayed },
		"account": func(_ *fake, s *manage.Spec) {
			s.Account, s.Password = "svc", func() (string, error) { return "hush", nil }
		},
		"managed":  func(_ *fake, s *manage.Spec) { s.Account = `CORP\web$` },
		"root":     func(_ *fake, s *manage.Spec) { s.Account = "root" },
		"instance": func(_ *fake, s *manage.Spec) { s.Template, s.Instance = true, "eu-1" },
		"crash-only": func(_ *fake, s *manage.Spec) {
			s.Recovery = service.Recovery{Delays: []time.Duration{time.Second}, ResetPeriod: time.Hour, CrashOnly: true}
		},
		"privileges": func(_ *fake, s *manage.Spec) {
			s.Hardening.Capabilities = []string{"CAP_NET_ADMIN", "SeTcbPrivilege", "SeChangeNotifyPrivilege"}
		},
		"lacking": func(f *fake, s *manage.Spec) { // what Windows does not have
			s.StartType, s.Sockets = service.OnSocket, []service.Socket{{Name: "http", Network: "tcp", Address: ":80"}}
			s.WorkingDirectory, s.Watchdog, s.FileDescriptorStore = `C:\d`, time.Minute, 3
			s.Limits.OpenFiles = 64
			s.Hardening.AddressFamilies = []string{"AF_PACKET"}
			s.Hardening.WritablePaths = []string{`E:\missing`, `E:\link`}
			f.folders[`E:\link`], f.links[`E:\link`] = "O:BAD:", true
		},
		"old-windows": func(f *fake, s *manage.Spec) { // what only newer versions have
			*s = rich()
			s.Hardening.WritablePaths = nil
			for _, l := range levels {
				f.lacks[l] = true
			}
		},
		"takeover": func(f *fake, _ *manage.Spec) { worlds()[5].setUp(nil, nil, f) },
	}
}

func TestPlan_GoldenFiles(t *testing.T) {
	seen := map[string]bool{}
	for name, set := range goldens() {
		t.Run(name, func(t *testing.T) {
			m, f := newManager(t)
			s := web()
			set(f, &s)
			if err := s.Check(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			p, err := m.Plan(t.Context(), s, true)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			var b strings.Builder
			for _, w := range p.Warnings {
				b.WriteString("warning: " + w + "\n")
			}
			if p.Replaces != "" {
				b.WriteString("replaces: " + p.Replaces + "\n")
			}
			for _, a := range p.Artefacts {
				b.WriteString("\n" + a.Name + "\n")
				if a.Present {
					b.WriteString(diff.Unified(a.Old, a.New))
				} else {
					b.WriteString(a.New)
				}
			}
			file := filepath.Join("testdata", name+".golden")
			seen[file] = true
			got := b.String()
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s differs (- want, + got); -update accepts it:\n%s", name, diff.Unified(string(want), got))
			}
		})
	}
	files, err := filepath.Glob(filepath.Join("testdata", "*.golden"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !seen[f] {
			t.Errorf("%s belongs to no test any more", f)
		}
	}
}
