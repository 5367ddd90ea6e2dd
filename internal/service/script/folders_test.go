//go:build unix

package script

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
)

func TestMakeFolders_LeavesThoseAloneThatExist(t *testing.T) {
	tree := files.Tree(t.TempDir())
	if err := errors.Join(os.MkdirAll(tree.Path("/var/cache/web"), 0o755), os.Chmod(tree.Path("/var/cache/web"), 0o755)); err != nil {
		t.Fatal(err)
	}
	d := dirs.System("linux", "web", nil)
	given := map[string]string{}
	c := tree.Begin("web")
	err := makeFolders(c, tree, foldersOf(d), Owner{UID: 900, GID: 901}, func(p string, uid, gid int) error {
		given[strings.TrimPrefix(path.Dir(p), string(tree))] = fmt.Sprint(uid, " ", gid) // before it has its name
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for p, want := range map[string]string{"/var/lib": "900 901", "/var/log": "900 901", "/run": "900 901", "/etc": "0 901", "/var/cache": ""} {
		if given[p] != want {
			t.Errorf("%s was given to %q, not %q", p, given[p], want)
		}
	}
	for p, want := range map[string]fs.FileMode{"/var/lib/web": 0o700, "/etc/web": 0o750, "/var/cache/web": 0o755} {
		if info, err := os.Stat(tree.Path(p)); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", p, info.Mode(), err)
		}
	}
	if err := c.Undo(); err != nil || tree.Exists("/var/lib/web") || !tree.Exists("/var/cache/web") {
		t.Errorf("%v", err)
	}
}

func TestEscapeXML(t *testing.T) {
	if got := escapeXML("<a> & \"b\" 'c'\t"); got != "&lt;a&gt; &amp; &quot;b&quot; &apos;c&apos;&#9;" {
		t.Errorf("got %s", got)
	}
	for _, s := range []string{"--", "---", "----", "a--b---c"} {
		if got := xmlComment(s); strings.Contains(got, "--") {
			t.Errorf("%s: %s", s, got)
		}
	}
}

func TestLacks_WarnsOfPathsThatNobodyMakesWritable(t *testing.T) {
	s := manage.Spec{Config: service.Config{Hardening: service.Hardening{Profile: service.Unconfined, WritablePaths: []string{"/srv/a", "/srv/b"}}, Recovery: service.Recovery{Never: true}}}
	for account, want := range map[string]string{"": "Hardening.WritablePaths: It gives the account of the service no rights to /srv/a, /srv/b; see that it has them", "www": ""} {
		s.Account = account
		if got := strings.Join(Lacks("It", s), "\n"); got != want {
			t.Errorf("%q: %q", account, got)
		}
	}
}
