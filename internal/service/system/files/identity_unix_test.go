//go:build unix

package files

import (
	"errors"
	"os"
	"testing"
	"time"
)

func TestIdentity_TellsAFolderFromTheNextOne(t *testing.T) {
	tree := Tree(t.TempDir())
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Mkdir(tree.Path("/a"), 0o755))
	first := tree.Identity("/a")
	must(errors.Join(
		os.WriteFile(tree.Path("/a/file"), nil, 0o644), os.Chmod(tree.Path("/a"), 0o700),
		os.Chtimes(tree.Path("/a"), time.Unix(1, 0), time.Unix(1, 0)), os.Rename(tree.Path("/a"), tree.Path("/b")),
	))
	if now := tree.Identity("/b"); first == "" || now != first {
		t.Errorf("the folder was %q, and is %q", first, now)
	}
	must(os.Mkdir(tree.Path("/a"), 0o755))
	must(os.Symlink("b", tree.Path("/link")))
	for _, p := range []string{"/a", "/link"} {
		if other := tree.Identity(p); other == "" || other == first {
			t.Errorf("%s is %q, and so is /b", p, other)
		}
	}
	for _, p := range []string{"/b/file", "/none"} {
		if got := tree.Identity(p); got != "" {
			t.Errorf("%s is %q", p, got)
		}
	}
}
