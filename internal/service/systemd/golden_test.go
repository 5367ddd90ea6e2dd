//go:build unix

package systemd

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// web returns a service with all the defaults.
func web(changes ...func(*manage.Spec)) manage.Spec {
	s := manage.Spec{
		Config: service.Config{
			Executable: "/usr/local/bin/web",
			StartType:  service.Automatic,
			Recovery: service.Recovery{
				Delays:      []time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute},
				ResetPeriod: 10 * time.Minute,
			},
			Hardening: service.Hardening{Profile: service.Strict},
			Watchdog:  30 * time.Second,
		},
		Name:         "web",
		DisplayName:  "Web",
		Description:  "Serves the web",
		StartTimeout: time.Minute,
		StopTimeout:  30 * time.Second,
	}
	for _, change := range changes {
		change(&s)
	}
	return s
}

func profile(p service.Profile) func(*manage.Spec) {
	return func(s *manage.Spec) { s.Hardening.Profile = p }
}

func start(t service.StartType) func(*manage.Spec) { return func(s *manage.Spec) { s.StartType = t } }

func ofUser(s *manage.Spec) { s.User = true }

func onSocket(s *manage.Spec) {
	s.StartType = service.OnSocket
	s.Sockets = []service.Socket{{Name: "http", Network: "tcp", Address: ":8080"}}
}

// full has a value in every field that systemd understands.
func full(s *manage.Spec) {
	s.Arguments = []string{"-addr", ":8080", "-greeting", `he said "50 % of $HOME"`, `C:\temp`, "", "ä b"}
	s.Environment = map[string]string{"GREETING": `it's "50 %" of $HOME`, "PATHS": `C:\temp;D:\`, "EMPTY": ""}
	s.WorkingDirectory = "/srv/web site"
	s.Account = "www-data"
	s.Dependencies = []string{"network", "postgresql"}
	s.Hardening.WritablePaths = []string{"/srv/web site", "/home/www/upload"}
	s.Hardening.Capabilities = []string{"CAP_NET_ADMIN", "CAP_SYS_TIME", "CAP_CHOWN", "SeTcbPrivilege"}
	s.Hardening.AddressFamilies = []string{"AF_PACKET"}
	s.Limits = service.Limits{OpenFiles: 65536, Tasks: 512, Memory: 1 << 30, CPU: 1.5, LogRecords: 20_000}
	s.FileDescriptorStore = 16
	s.Sockets = []service.Socket{
		{Name: "http", Network: "tcp", Address: "127.0.0.1:8080"},
		{Name: "dns", Network: "udp", Address: "[::1]:5353"},
		{Name: "admin", Network: "unix", Address: "/run/web admin/50%.sock"},
	}
	s.Systemd = service.Systemd{
		Unit: []string{"RequiresMountsFor=/srv"}, Service: []string{"Nice=5", "IPAccounting=yes"},
		Credentials: map[string]string{"key": "/etc/ssl/private/web-1%.key"},
	}
}

func template(s *manage.Spec) {
	s.Template, s.Instance = true, "a"
	s.Environment = map[string]string{"ROLE": "backend"}
}

// goldens returns the services whose units are under testdata, by folder.
func goldens() map[string]golden {
	g := map[string]golden{}
	for name, p := range map[string]service.Profile{
		"strict": service.Strict, "network": service.Network, "localhost": service.Localhost,
		"low-ports": service.LowPorts, "lenient": service.Lenient, "none": service.Unconfined,
	} {
		g[name+"-system-257"] = golden{web(profile(p)), 257}
		g[name+"-user-257"] = golden{web(profile(p), ofUser), 257}
	}
	for _, v := range []int{249, 252, 254} {
		g[fmt.Sprintf("strict-system-%d", v)] = golden{web(), v}
		g[fmt.Sprintf("strict-user-%d", v)] = golden{web(ofUser), v}
	}
	maps.Copy(g, map[string]golden{
		"unknown-version":   {web(), 0},
		"socket-system-257": {web(onSocket), 257},
		"socket-system-252": {web(onSocket), 252},
		"socket-user-257":   {web(onSocket, ofUser), 257},
		"template-257":      {web(template), 257},
		"template-socket":   {web(template, onSocket), 257},
		"full-257":          {web(full), 257},
		"full-252":          {web(full), 252},
		"delayed":           {web(start(service.Delayed)), 257},
		"delayed-user":      {web(start(service.Delayed), ofUser), 257},
		"manual":            {web(start(service.Manual)), 257},
		"disabled":          {web(start(service.Disabled)), 257},
		"root":              {web(func(s *manage.Spec) { s.Account = "root" }), 257},
		"crash-only":        {web(func(s *manage.Spec) { s.Recovery.CrashOnly = true }), 257},
		"never-restarted":   {web(func(s *manage.Spec) { s.Recovery = service.Recovery{Never: true} }), 257},
		"below-home": {web(func(s *manage.Spec) {
			s.Executable, s.WorkingDirectory = "/home/me/go/bin/web", "/home/me"
		}), 257},
		"below-root":      {web(func(s *manage.Spec) { s.Executable = "/root/bin/web" }), 257},
		"below-root-none": {web(profile(service.Unconfined), func(s *manage.Spec) { s.Executable = "/root/bin/web" }), 257},
		"below-tmp":       {web(func(s *manage.Spec) { s.Executable = "/tmp/web" }), 257},
	})
	return g
}

type golden struct {
	spec    manage.Spec
	version int
}

func TestRender_GoldenUnits(t *testing.T) {
	all := goldens()
	for name, g := range all {
		t.Run(name, func(t *testing.T) {
			if err := g.spec.Check(); err != nil {
				t.Error(err)
			}
			units, warnings, err := Render(g.spec, g.version, g.spec.Executable)
			if err != nil {
				t.Error(err)
				return
			}
			dir := filepath.Join("testdata", name)
			if *update {
				err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755))
				for _, u := range units {
					err = errors.Join(err, os.WriteFile(filepath.Join(dir, u.Name), []byte(u.Text), 0o644))
				}
				if len(warnings) > 0 {
					err = errors.Join(err, os.WriteFile(filepath.Join(dir, "warnings"), []byte(strings.Join(warnings, "\n")+"\n"), 0o644))
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			want := map[string]string{}
			for _, u := range units {
				want[u.Name] = u.Text
			}
			if len(warnings) > 0 {
				want["warnings"] = strings.Join(warnings, "\n") + "\n"
			}
			got := map[string]string{}
			entries, err := os.ReadDir(dir)
			if err != nil {
				t.Errorf("%v: run the test with -update", err)
			}
			for _, e := range entries {
				b, err := os.ReadFile(filepath.Join(dir, e.Name()))
				if err != nil {
					t.Fatal(err)
				}
				got[e.Name()] = string(b)
			}
			if !maps.Equal(got, want) {
				t.Errorf("%s is not what is rendered, which is %q; run the test with -update and look at the difference", dir, slices.Sorted(maps.Keys(want)))
			}
		})
	}
	entries, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if _, ok := all[e.Name()]; e.IsDir() && !ok && e.Name() != "fuzz" {
			t.Errorf("testdata/%s belongs to no test", e.Name())
		}
	}
}

func TestRender_LogLimitNeedsServiceOfMachine(t *testing.T) {
	limited := func(s *manage.Spec) { s.Limits.LogRecords = manage.MaxLogRecords }
	const lines = "LogRateLimitIntervalSec=1s\nLogRateLimitBurst=100000000\n"
	for name, test := range map[string]struct {
		spec    manage.Spec
		version int
		warns   string // "" if the unit has the lines
	}{
		"of the machine": {web(limited), 257, ""},
		"the oldest":     {web(limited), 240, ""},
		"nobody knows":   {web(limited), 0, ""},
		"too old":        {web(limited), 239, "Limits.LogRecords: systemd 239 has no limit for single services"},
		"of a user":      {web(limited, ofUser), 257, "Limits.LogRecords: journald limits single services of the machine only"},
	} {
		t.Run(name, func(t *testing.T) {
			units, warnings, err := Render(test.spec, test.version, test.spec.Executable)
			if err != nil {
				t.Error(err)
				return
			}
			var text string
			for _, u := range units {
				text += u.Text
			}
			said := strings.Join(warnings, "\n")
			if strings.Contains(text, lines) != (test.warns == "") || strings.Contains(said, "Limits.LogRecords") != (test.warns != "") || !strings.Contains(said, test.warns) {
				t.Errorf("it warns %q\n%s", said, text)
			}
		})
	}
}
