//go:build unix

package files

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// snapshot is all that there is below a folder.
func snapshot(t *testing.T, root string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
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
		b.WriteString(strings.TrimPrefix(p, root) + " " + info.Mode().String() + " " + text + "\n")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestWhatFailsLeavesNothing(t *testing.T) {
	root := t.TempDir()
	tree := Tree(root)
	first := tree.Begin("web")
	for p, text := range map[string]string{"/etc/a": "old a", "/etc/b": "old b", "/blocked": "a file"} {
		if err := first.Write(p, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := first.Symlink("/etc/l", "a"); err != nil {
		t.Fatal(err)
	}
	if err := first.Keep(); err != nil {
		t.Fatal(err)
	}
	before := snapshot(t, root)

	c := tree.Begin("web")
	for _, err := range []error{
		c.Write("/etc/a", "new a", 0o755),
		c.Write("/etc/deep/down/c", "new c", 0o600),
		c.Remove("/etc/b"),
		c.Write("/etc/b", "new b", 0o644),
		c.Remove("/etc/b"),
		c.Remove("/etc/nothing"),
		c.Symlink("/etc/l", "b"),
		c.Symlink("/etc/m", "b"),
		c.Mkdir("/var/lib/x", 0o700),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if during := snapshot(t, root); during == before {
		t.Fatal("nothing has changed")
	}
	if err := c.Write("/blocked/d", "d", 0o644); err == nil {
		t.Fatal("a file was made below a file")
	}
	if err := c.Undo(); err != nil {
		t.Error(err)
	}
	if after := snapshot(t, root); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

func TestWhatIsKeptLeavesNoTraces(t *testing.T) {
	root := t.TempDir()
	c := Tree(root).Begin("web")
	for _, err := range []error{
		c.Write("/a", "1", 0o600), c.Write("/a", "2", 0o640), c.Write("/b", "1", 0o644), c.Remove("/b"), c.Keep(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := snapshot(t, root); !strings.HasSuffix(got, "\n/a -rw-r----- 2\n") || strings.Count(got, "\n") != 2 {
		t.Errorf("there is\n%s", got)
	}
}

func TestLinksAreNotFollowed(t *testing.T) {
	root := t.TempDir()
	if err := os.Symlink("/dev/null", filepath.Join(root, "masked")); err != nil {
		t.Fatal(err)
	}
	c := Tree(root).Begin("web")
	if err := c.Write("/masked", "x", 0o644); err == nil || !strings.Contains(err.Error(), "link to /dev/null") {
		t.Errorf("got %v", err)
	}
	if _, exists, err := Tree(root).Read("/masked"); !exists || err == nil {
		t.Errorf("exists %t, %v", exists, err)
	}
}

func TestAFolderThatHasBecomeALinkIsNotGivenAway(t *testing.T) {
	root := t.TempDir()
	target, link, file := filepath.Join(root, "etc"), filepath.Join(root, "runtime"), filepath.Join(root, "file")
	for _, err := range []error{os.Mkdir(target, 0o755), os.Chmod(target, 0o755), os.Symlink(target, link), os.WriteFile(file, nil, 0o644)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	before := snapshot(t, root)
	for _, p := range []string{link, file} {
		if err := Give(p, os.Getuid(), os.Getgid()); err == nil {
			t.Errorf("%s is given away", p)
		}
		if err := chmod(p, 0o700); err == nil {
			t.Errorf("%s has another mode", p)
		}
	}
	if after := snapshot(t, root); after != before {
		t.Errorf("there is\n%s", after)
	}
	if err := Give(target, os.Getuid(), os.Getgid()); err != nil {
		t.Error(err)
	}
}

func TestWhatIsMountedBelowAFolderIsNotPurged(t *testing.T) {
	root := t.TempDir()
	tree := Tree(root)
	c := tree.Begin("web")
	for p, text := range map[string]string{
		"/var/lib/web/data/x": "theirs", "/var/lib/my web/x": "theirs", "/var/lib/webs/x": "ours", "/var/lib/we/x": "ours",
		"/proc/self/mountinfo": `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:40 / /var/lib/web/data rw - nfs srv:/data rw
41 22 8:2 / /var/lib/my\040web rw - ext4 /dev/sda2 rw
`,
	} {
		if err := c.Write(p, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for folder, at := range map[string]string{"/var/lib/web": "/var/lib/web/data", "/var/lib/my web": "/var/lib/my web", "/var/lib/webs": "", "/var/lib/we": ""} {
		err := tree.Purge(folder)
		if at == "" && (err != nil || tree.Exists(folder)) {
			t.Errorf("%s: %v", folder, err)
		}
		if at != "" && (err == nil || !strings.Contains(err.Error(), "is mounted at "+at+";") || !tree.Exists(folder+"/x") && !tree.Exists(folder+"/data/x")) {
			t.Errorf("%s: %v", folder, err)
		}
	}
	if got := unescape(`a\040b\134\`); got != `a b\\` {
		t.Errorf("got %q", got)
	}
}

func TestWhatAKilledProcessHasLeftIsSweptAndNothingElse(t *testing.T) {
	for what, change := range map[string]func(c *Change) error{
		"write":  func(c *Change) error { return c.Write("/web.service", "new", 0o644) },
		"remove": func(c *Change) error { return c.Remove("/web.service") },
		"sweep":  func(c *Change) error { c.Sweep("/"); return nil },
		"folder": func(c *Change) error { return c.MkdirFor("/web", 0o700, func(string) error { return nil }) },
	} {
		dir := t.TempDir()
		left := []string{".web.glidepath123", ".web.glidepath123.old", ".web.glidepath0.old"}
		stays := []string{
			".web.glidepath", ".web.glidepath.old", ".web.glidepath1.new", ".web.glidepath1x", ".web-door.glidepath1", "web.glidepath1", ".web.glidepath1.glidepath2", ".web.service",
		}
		for _, name := range append([]string{"web.service"}, append(left, stays...)...) {
			if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(os.Mkdir(filepath.Join(dir, ".web.glidepath7"), 0o700), os.Mkdir(filepath.Join(dir, ".web.glidepath8"), 0o700), os.WriteFile(filepath.Join(dir, ".web.glidepath8", "full"), nil, 0o600)); err != nil {
			t.Fatal(err)
		}
		c := Tree(dir).Begin("web")
		if err := errors.Join(change(c), c.Keep()); err != nil {
			t.Fatal(err)
		}
		for _, name := range append(left, ".web.glidepath7") {
			if Tree(dir).Exists("/" + name) {
				t.Errorf("%s: %s is left", what, name)
			}
		}
		for _, name := range append(stays, ".web.glidepath8/full") {
			if !Tree(dir).Exists("/" + name) {
				t.Errorf("%s: %s is gone", what, name)
			}
		}
	}
}

func TestAFolderIsThereOnceItHasItsOwner(t *testing.T) {
	root := t.TempDir()
	c := Tree(root).Begin("web")
	err := c.MkdirFor("/var/lib/web", 0o750, func(folder string) error {
		if info, err := os.Stat(folder); err != nil || info.Mode().Perm() != 0o750 || Tree(root).Exists("/var/lib/web") {
			t.Errorf("%s is given away: %v, %v", folder, info, err)
		}
		return nil
	})
	if err != nil || !Tree(root).Exists("/var/lib/web") {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	if err := c.MkdirFor("/var/lib/other", 0o750, func(string) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if err := c.Undo(); err != nil {
		t.Error(err)
	}
	if left := snapshot(t, root); strings.Count(left, "\n") != 1 {
		t.Errorf("left is\n%s", left)
	}
}

func TestWhatSomebodyElseHasPutIntoANewFolderStays(t *testing.T) {
	tree := Tree(t.TempDir())
	mine, theirs := tree.Begin("web"), tree.Begin("other")
	for _, err := range []error{
		mine.Write("/.glidepath/web", "1", 0o644), theirs.Write("/.glidepath/other", "2", 0o644), theirs.Keep(), mine.Undo(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if !tree.Exists("/.glidepath/other") || tree.Exists("/.glidepath/web") {
		t.Errorf("there is\n%s", snapshot(t, string(tree)))
	}
}
