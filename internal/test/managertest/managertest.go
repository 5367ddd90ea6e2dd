// Package managertest is what the tests of several managers have in common.
package managertest

import (
	"context"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/command"
	"github.com/go-glidepath/glidepath/internal/service/system/diff"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Plain is a service of which nothing is said but its name.
func Plain() manage.Spec {
	return manage.Spec{
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
		DisplayName:  "web",
		Description:  "web",
		StartTimeout: time.Minute,
		StopTimeout:  30 * time.Second,
	}
}

// Hostile are values that have to arrive as they are.
func Hostile() []string {
	return []string{
		"", " ", "a b", `"`, `'`, `it's "so"`, "%", "%n", "100%", "$", "$HOME", "${HOME}", "$(id)", "`id`", `\`, `\n`, `a\`, "\t", "a\tb",
		"~", "#", "-n", "--", "*", "?", "[a]", "!", "&", "&amp;", "<x>", "]]>", "--><!--", ";", "|", "a=b", "=", "ü ä", "日本", "{}", "%{x}", ":",
	}
}

// Specs are services of all kinds, by a name for each.
func Specs() map[string]manage.Spec {
	specs := map[string]manage.Spec{}
	add := func(name string, f func(*manage.Spec)) {
		s := Plain()
		f(&s)
		specs[name] = s
	}
	add("plain", func(*manage.Spec) {})
	add("hostile", func(s *manage.Spec) {
		s.Description = `it's -- a "web" server at 100% & <more> \ $HOME`
		s.Executable = "/opt/mit Größe/100% 'web' $x=1"
		s.WorkingDirectory = "/srv/the web & co"
		s.Arguments = Hostile()
		s.Environment = map[string]string{}
		for i, v := range Hostile() {
			s.Environment[fmt.Sprintf("V%02d", i)] = v
		}
	})
	add("everything", func(s *manage.Spec) {
		s.Name, s.DisplayName, s.Description, s.Version = "my-web.d", "My web", "serves what there is", "v1.2.3"
		s.Arguments = []string{"-addr", ":8080"}
		s.Environment = map[string]string{"MODE": "full"}
		s.WorkingDirectory, s.Account = "/srv/web", "www"
		s.Dependencies = []string{"network", "db"}
		s.StopTimeout = 90 * time.Second
		s.Limits = service.Limits{OpenFiles: 4096, Tasks: 100, Memory: 1 << 30, CPU: 1.5, LogRecords: 20_000}
		s.Hardening.Capabilities = []string{"CAP_NET_ADMIN", "SeBackupPrivilege"}
		s.FileDescriptorStore = 4
		s.Sockets = []service.Socket{{Name: "http", Network: "tcp", Address: ":80"}}
		s.CanPause = true
	})
	add("root", func(s *manage.Spec) { s.Account = "root" })
	add("instance", func(s *manage.Spec) { s.Template, s.Instance = true, "eu.1" })
	for _, start := range []service.StartType{service.Delayed, service.Manual, service.Disabled, service.OnSocket} {
		add("start "+string(start), func(s *manage.Spec) {
			s.StartType = start
			if start == service.OnSocket {
				s.Sockets = []service.Socket{{Name: "http", Network: "tcp", Address: ":80"}}
			}
		})
	}
	add("recovery never", func(s *manage.Spec) { s.Recovery = service.Recovery{Never: true} })
	add("recovery crash only", func(s *manage.Spec) { s.Recovery.CrashOnly = true })
	add("recovery at once", func(s *manage.Spec) { s.Recovery.Delays = []time.Duration{0} })
	for _, p := range []service.Profile{service.Network, service.Localhost, service.LowPorts, service.Lenient, service.Unconfined} {
		add("profile "+string(p), func(s *manage.Spec) { s.Hardening.Profile = p })
	}
	return specs
}

// Each runs f for each of Specs, in the order of their names.
func Each(t *testing.T, f func(t *testing.T, name string, s manage.Spec)) {
	t.Helper()
	specs := Specs()
	for _, name := range slices.Sorted(maps.Keys(specs)) {
		t.Run(name, func(t *testing.T) {
			s := specs[name]
			if err := s.Check(); err != nil {
				t.Fatal(err)
			}
			f(t, name, s)
		})
	}
}

// Golden compares text with the file of that name in testdata, or writes it there.
func Golden(t *testing.T, name, text string) {
	t.Helper()
	file := filepath.Join("testdata", strings.ReplaceAll(name, " ", "-"))
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; go test -update writes it", err)
	}
	if d := diff.Unified(string(want), text); d != "" {
		t.Errorf("%s: if this is meant, go test -update\n%s", file, d)
	}
}

// Warnings is what a golden file has for them.
func Warnings(p *manage.Plan) string {
	return strings.Join(append(slices.Clone(p.Warnings), ""), "\n")
}

// Runner is a command.Runner that keeps what was run, and answers by a function.
type Runner struct {
	Answer func(line string) (string, error) // may be nil
	Fail   map[string]error                  // for lines that begin so, instead of an answer

	mu    sync.Mutex
	lines []string
}

// Run is the command.Runner.
func (r *Runner) Run(ctx context.Context, name string, args ...string) (string, error) {
	if err := context.Cause(ctx); err != nil {
		return "", err
	}
	line := strings.Join(append([]string{name}, args...), " ")
	r.mu.Lock()
	r.lines = append(r.lines, line)
	r.mu.Unlock()
	for prefix, err := range r.Fail {
		if strings.HasPrefix(line, prefix) {
			return "", err
		}
	}
	if r.Answer == nil {
		return "", nil
	}
	return r.Answer(line)
}

// Took are the lines that were run since the last call.
func (r *Runner) Took() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	lines := r.lines
	r.lines = nil
	return lines
}

// Fails is the error of a command that ends with a code.
func Fails(line string, code int, stderr string) error {
	return &command.Error{Line: line, Code: code, Stderr: stderr}
}

// Snapshot is all that there is in a tree: paths, modes, texts, and where links lead.
func Snapshot(t *testing.T, tree files.Tree) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(string(tree), func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		text := ""
		switch {
		case info.Mode().IsRegular():
			content, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			text = string(content)
		case info.Mode()&fs.ModeSymlink != 0:
			if text, err = os.Readlink(p); err != nil {
				return err
			}
		}
		fmt.Fprintf(&b, "%s %s %s\n", strings.TrimPrefix(p, string(tree)), info.Mode(), text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Put writes a file into a tree.
func Put(t *testing.T, tree files.Tree, p, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(tree.Path(p)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(tree.Path(p), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Get is the text of a file in a tree, "" if there is none.
func Get(tree files.Tree, p string) string {
	text, _, _ := tree.Read(p)
	return text
}
