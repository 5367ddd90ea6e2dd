package dirs

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestProcess_Find(t *testing.T) {
	for name, test := range map[string]struct {
		process process
		vars    map[string]string
		state   string
		runtime string
		lost    bool
	}{
		"root":                    {process{goos: "linux", machine: true, home: "/root"}, nil, "/var/lib/web", "/run/web", false},
		"root without a home":     {process{goos: "linux", machine: true}, nil, "/var/lib/web", "/run/web", false},
		"a user":                  {process{goos: "linux", home: "/home/a"}, nil, "/home/a/.local/state/web", "/tmp/web/runtime", false},
		"a user without a home":   {process{goos: "linux"}, nil, "/tmp/web/state", "/tmp/web/runtime", true},
		"a home that is relative": {process{goos: "linux", home: "a"}, nil, "/tmp/web/state", "/tmp/web/runtime", true},
		"without a home, but with a place": {
			process{goos: "linux"}, map[string]string{"XDG_STATE_HOME": "/s"}, "/s/web", "/tmp/web/runtime", false,
		},
		"a service": {
			process{goos: "linux"}, map[string]string{"STATE_DIRECTORY": "/var/lib/a:/var/lib/b", "RUNTIME_DIRECTORY": "/run/a"}, "/var/lib/a", "/run/a", false,
		},
		"an administrator of Windows": {
			process{goos: "windows", machine: true}, map[string]string{"ProgramData": `C:\D`}, `C:\D\web\state`, `C:\D\web\runtime`, false,
		},
		"a user of Windows": {
			process{goos: "windows"}, map[string]string{"LocalAppData": `C:\L`}, `C:\L\web\state`, `C:\L\web\runtime`, false,
		},
		"a user of Windows without a profile": {process{goos: "windows"}, nil, `/tmp\web\state`, `/tmp\web\runtime`, true},
		"a service of Windows": {
			process{goos: "windows", machine: true}, map[string]string{"STATE_DIRECTORY": `C:\S`}, `C:\S`, `C:\ProgramData\web\runtime`, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := test.process
			p.name, p.temp, p.getenv = "web", "/tmp", env(test.vars)
			if d, lost := p.find(); d.State != test.state || d.Runtime != test.runtime || lost != test.lost {
				t.Errorf("%+v, lost is %t", d, lost)
			}
		})
	}
}

// temporary returns a temporary folder without links in its path; macOS has one there.
func temporary(t *testing.T) string {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func isDir(name string) bool {
	info, err := os.Lstat(name)
	return err == nil && info.IsDir()
}

func TestOwn_MakesAndAcceptsFolders(t *testing.T) {
	base := temporary(t)
	for _, machine := range []bool{true, false} {
		for _, dir := range []string{
			filepath.Join(base, "web"), filepath.Join(base, "a", "b", "web"), filepath.Join(base, "c", "web", "state"), filepath.Join(base, "web", "web"),
		} {
			for range 2 {
				if err := own(dir, "web", machine); err != nil || !isDir(dir) {
					t.Errorf("%s, of the machine: %t: %v", dir, machine, err)
				}
			}
		}
		base = temporary(t)
	}
}

func TestGiven_AcceptsFoldersOfTheManager(t *testing.T) {
	base := temporary(t)
	file := filepath.Join(base, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(base, "missing", "state")
	for dir, good := range map[string]bool{base: true, missing: true, file: false, "relative": false} {
		err := given("STATE_DIRECTORY", dir)
		if good && (err != nil || dir == missing && !isDir(dir)) {
			t.Errorf("%s: %v", dir, err)
		}
		if !good && (err == nil || !strings.Contains(err.Error(), "STATE_DIRECTORY")) {
			t.Errorf("%s: %v", dir, err)
		}
	}
}

func TestProcess_MakeReturnsTheOthersIfOneFails(t *testing.T) {
	base := temporary(t)
	file := filepath.Join(base, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p := process{goos: runtime.GOOS, name: "web", getenv: env(map[string]string{"LOGS_DIRECTORY": file})}
	in := func(purpose string) string { return filepath.Join(base, purpose, "web") }
	got, err := p.make(Dirs{in("state"), filepath.Join(file, "web"), file, in("run"), in("etc")})
	if want := (Dirs{State: in("state"), Runtime: in("run"), Configuration: in("etc")}); got != want {
		t.Errorf("got %+v", got)
	}
	for _, want := range []string{"CACHE_DIRECTORY", "LOGS_DIRECTORY"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %s: %v", want, err)
		}
	}
	if err != nil && strings.Contains(err.Error(), "STATE_DIRECTORY") {
		t.Errorf("the state is available: %v", err)
	}
}

func TestIn_MakesFolders(t *testing.T) {
	d, err := In(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range d.Vars() {
		if !isDir(v.Dir) {
			t.Errorf("%s=%s is not there", v.Name, v.Dir)
		}
	}
}
