//go:build unix

package initd

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/files"
	"github.com/go-glidepath/glidepath/internal/service/onefile"
)

func TestWhatAServiceHasWrittenGoesWithItsAccount(t *testing.T) {
	root := t.TempDir()
	for _, p := range []string{"var/lib/web/sub/file", "etc/web/config"} {
		file := filepath.Join(root, p)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var given []string
	m := Machine{Machine: service.Machine{Tree: files.Tree(root)}, Chown: func(p string, uid, gid int) error {
		given = append(given, fmt.Sprintf("%s %d %d", strings.TrimPrefix(p, root), uid, gid))
		return nil
	}}
	folders := []onefile.Folder{{Path: "/var/lib/web"}, {Path: "/nonexistent"}, {Path: "/etc/web", Root: true}}
	me := onefile.Owner{UID: os.Getuid(), GID: os.Getgid()}
	c := m.Tree.Begin()

	if err := m.adopt(c, folders[:1], Owner{Name: "me", UID: me.UID, GID: me.GID}); err != nil || given != nil {
		t.Errorf("what is its own already: %q, %v", given, err)
	}
	want := []string{"/var/lib/web 900 901", "/var/lib/web/sub 900 901", "/var/lib/web/sub/file 900 901"}
	if me.UID == 0 {
		want = append(want, "/etc/web 0 901") // what is in it is root's, and stays
	}
	if err := m.adopt(c, folders, Owner{Name: "web", UID: 900, GID: 901}); err != nil || !slices.Equal(given, want) {
		t.Errorf("given was %q, %v", given, err)
	}
	forth := len(given)
	if err := c.Undo(); err != nil {
		t.Error(err)
	}
	if back := given[forth:]; len(back) != forth || !slices.Contains(back, fmt.Sprintf("/var/lib/web/sub/file %d %d", me.UID, me.GID)) {
		t.Errorf("given back was %q", back)
	}
}
