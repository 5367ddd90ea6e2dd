//go:build unix

package dirs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOwn_Modes(t *testing.T) {
	base := temporary(t)
	dir := filepath.Join(base, ".local", "state", "web")
	if err := own(dir, "web", false); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{dir, filepath.Dir(dir), filepath.Join(base, ".local")} {
		if info, err := os.Stat(d); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v", d, info.Mode(), err)
		}
	}
	dir = filepath.Join(base, "var", "lib", "web")
	if err := own(dir, "web", true); err != nil {
		t.Fatal(err)
	}
	for d, mode := range map[string]os.FileMode{dir: 0o700, filepath.Dir(dir): 0o755} {
		if info, err := os.Stat(d); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", d, info.Mode(), err)
		}
	}
}

func TestOwn_RefusesFoldersThatOthersCanChange(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(t *testing.T, dir string)
		says    string
	}{
		"a link":                {func(t *testing.T, dir string) { link(t, t.TempDir(), dir) }, "is a link"},
		"a link to nothing":     {func(t *testing.T, dir string) { link(t, filepath.Join(t.TempDir(), "x"), dir) }, "is a link"},
		"a file":                {func(t *testing.T, dir string) { write(t, dir) }, "is not a folder"},
		"writable by everybody": {func(t *testing.T, dir string) { mkdir(t, dir, 0o777) }, "chmod go-w"},
		"writable by its group": {func(t *testing.T, dir string) { mkdir(t, dir, 0o770) }, "chmod go-w"},
		"sticky, as /tmp is":    {func(t *testing.T, dir string) { mkdir(t, dir, 0o777|os.ModeSticky) }, "chmod go-w"},
	} {
		t.Run(name, func(t *testing.T) {
			// As in the temporary folder, both NAME and the purpose are our own.
			for _, folder := range []string{"web", filepath.Join("web", "state")} {
				base := temporary(t)
				if folder != "web" {
					mkdir(t, filepath.Join(base, "web"), 0o700)
				}
				test.prepare(t, filepath.Join(base, folder))
				err := own(filepath.Join(base, "web", "state"), "web", false)
				if err == nil || !strings.Contains(err.Error(), test.says) {
					t.Errorf("%s: %v", folder, err)
				}
			}
		})
	}
}

func TestOwn_RefusesAFolderOfAnotherUser(t *testing.T) {
	dir := temporary(t)
	if os.Geteuid() != 0 {
		dir = "/usr"
	} else if err := os.Chown(dir, 12345, -1); err != nil {
		t.Fatal(err)
	}
	err := own(dir, "web", false)
	if err == nil || !strings.Contains(err.Error(), "belongs to the user with ID") {
		t.Errorf("got %v", err)
	}
}

func TestOwn_RefusesALinkOfAnotherUser(t *testing.T) {
	base, elsewhere := temporary(t), temporary(t)
	cache := filepath.Join(base, ".cache")
	link(t, elsewhere, cache)
	if err := own(filepath.Join(cache, "web"), "web", false); err != nil {
		t.Errorf("through the user's own link: %v", err)
	}
	if os.Geteuid() != 0 {
		return // only root can make a link for another user
	}
	if err := os.Lchown(cache, 12345, -1); err != nil {
		t.Fatal(err)
	}
	err := own(filepath.Join(cache, "deep", "app"), "app", false)
	if err == nil || !strings.Contains(err.Error(), "is a link made by the user with ID 12345") {
		t.Errorf("got %v", err)
	}
	if isDir(filepath.Join(elsewhere, "deep")) {
		t.Error("it was made all the same")
	}
}

func TestProcess_MakeErrorNamesTheRemedy(t *testing.T) {
	p := process{goos: "linux", name: "web", getenv: env(nil)}
	_, err := p.make(Dirs{State: "/proc/web"})
	if err == nil || !strings.Contains(err.Error(), "/proc") || !strings.Contains(err.Error(), "or set STATE_DIRECTORY") {
		t.Errorf("got %v", err)
	}
}

func TestGiven_AcceptsALink(t *testing.T) {
	name := filepath.Join(t.TempDir(), "link")
	link(t, t.TempDir(), name) // as that of a dynamic user of systemd
	if err := given("STATE_DIRECTORY", name); err != nil {
		t.Error(err)
	}
}

func mkdir(t *testing.T, dir string, mode os.FileMode) {
	t.Helper()
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, mode); err != nil { // regardless of the umask
		t.Fatal(err)
	}
}

func link(t *testing.T, to, name string) {
	t.Helper()
	if err := os.Symlink(to, name); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, name string) {
	t.Helper()
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}
