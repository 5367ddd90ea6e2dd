//go:build unix

package owned

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
)

const (
	theirUID, theirGID = 33, 34
	dynamic            = 61234
)

// bed is a record in a tree.
type bed struct {
	t     *testing.T
	tree  files.Tree
	r     Record
	paths []Path
}

func newBed(t *testing.T) bed {
	if os.Getuid() != 0 {
		t.Skip("only root gives files away")
	}
	tree := files.Tree(t.TempDir())
	return bed{t, tree, In(tree, "/etc", "web"), []Path{
		{Path: "/var/lib/web", Moved: "/var/lib/private/web"},
		{Path: "/var/cache/web", Moved: "/var/cache/private/web"},
		{Path: "/etc/web", Stays: true},
	}}
}

// theirs makes a folder of somebody else, with things of theirs and of root in it.
func (b bed) theirs(p string, mode fs.FileMode) {
	b.t.Helper()
	dir := b.tree.Path(p)
	err := errors.Join(
		os.MkdirAll(filepath.Join(dir, "deep"), 0o755), os.WriteFile(filepath.Join(dir, "deep", "file"), []byte("precious"), 0o640),
		os.Symlink("/etc/passwd", filepath.Join(dir, "link")), os.WriteFile(filepath.Join(dir, "root"), nil, 0o600),
	)
	for _, name := range []string{"", "deep", "deep/file", "link"} {
		err = errors.Join(err, os.Lchown(filepath.Join(dir, name), theirUID, theirGID))
	}
	if err := errors.Join(err, os.Chmod(dir, mode)); err != nil {
		b.t.Fatal(err)
	}
}

// look says what there is at a path, with modes and owners.
func (b bed) look(p string) string {
	b.t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(b.tree.Path(p), func(at string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Lstat(at)
		s, _ := stat(info)
		fmt.Fprintln(&all, strings.TrimPrefix(at, b.tree.Path(p)), info.Mode(), s)
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return all.String()
}

func (b bed) install(installed, force bool) (*manage.Plan, error) {
	b.t.Helper()
	p := &manage.Plan{Spec: manage.Spec{Name: "web"}, Installed: installed}
	if err := b.r.Check(p, b.paths, force); err != nil {
		return p, err
	}
	c := b.tree.Begin("web")
	if err := errors.Join(b.r.Write(c, p), c.Keep()); err != nil {
		b.t.Fatal(err)
	}
	return p, nil
}

// move does what systemd does to the folder of a dynamic user.
func (b bed) move(p, moved string) {
	b.t.Helper()
	err := errors.Join(
		os.MkdirAll(filepath.Dir(b.tree.Path(moved)), 0o700), os.Rename(b.tree.Path(p), b.tree.Path(moved)),
		os.Symlink("private/web", b.tree.Path(p)), os.Chmod(b.tree.Path(moved), 0o700),
	)
	err = errors.Join(err, filepath.WalkDir(b.tree.Path(moved), func(at string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(at, dynamic, dynamic))
	}))
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b bed) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func TestWhatInstallForceHasTakenIsGivenBack(t *testing.T) {
	b := newBed(t)
	b.theirs("/var/lib/web", 0o750|fs.ModeSetgid)
	before := b.look("/var/lib/web")
	if _, err := b.install(false, false); !errors.Is(err, service.ErrForeign) {
		t.Fatalf("without force: %v", err)
	}
	_, err := b.install(false, true)
	b.must(err)
	b.must(b.r.Return(b.paths)) // it was never started
	if after := b.look("/var/lib/web"); after != before {
		t.Errorf("nobody has changed it, and there is\n%swas\n%s", after, before)
	}
	b.move("/var/lib/web", "/var/lib/private/web")
	b.must(os.WriteFile(b.tree.Path("/var/lib/private/web/new"), nil, 0o600))
	b.must(os.Lchown(b.tree.Path("/var/lib/private/web/new"), 0, dynamic))
	_, err = b.install(true, true) // again
	b.must(err)
	for range 2 { // the first time may have been killed before the record was written
		b.must(b.r.Return(b.paths))
	}
	// What was root's there has become the service's, and so theirs.
	b.must(os.Lchown(b.tree.Path("/var/lib/web/root"), 0, 0))
	b.must(os.Remove(b.tree.Path("/var/lib/web/new")))
	if after := b.look("/var/lib/web"); after != before {
		t.Errorf("there is\n%swas\n%s", after, before)
	}
	if b.tree.Exists("/var/lib/private/web") {
		t.Error("it is still where it was moved")
	}
	b.must(b.r.Forget(b.paths, true))
	if b.tree.Exists("/etc/.glidepath") {
		t.Errorf("the record is left: %s", b.look("/etc/.glidepath"))
	}
}

func TestAReturnThatWasKilledGoesOn(t *testing.T) {
	b := newBed(t)
	b.theirs("/var/lib/web", 0o755)
	before := b.look("/var/lib/web")
	_, err := b.install(false, true)
	b.must(err)
	b.move("/var/lib/web", "/var/lib/private/web")
	b.must(os.Lchown(b.tree.Path("/var/lib/private/web/deep"), theirUID, theirGID)) // so far it had come
	b.must(b.r.Return(b.paths))
	b.must(os.Lchown(b.tree.Path("/var/lib/web/root"), 0, 0)) // which has become the service's, and so theirs
	if after := b.look("/var/lib/web"); after != before || b.tree.Exists("/var/lib/private/web") {
		t.Errorf("there is\n%swas\n%s", after, before)
	}
	b.must(os.Rename(b.tree.Path("/var/lib/web"), b.tree.Path("/var/lib/private/web"))) // the link had gone, and no more
	b.must(b.r.Return(b.paths))
	if after := b.look("/var/lib/web"); after != before {
		t.Errorf("there is\n%swas\n%s", after, before)
	}
}

func TestAFolderThatNobodyHasMovedIsLeftWhereItIs(t *testing.T) {
	b := newBed(t)
	b.theirs("/var/lib/web", 0o755)
	_, err := b.install(false, true)
	b.must(err)
	b.must(os.RemoveAll(b.tree.Path("/var/lib/web"))) // by its owner
	b.must(os.Symlink("/srv/web", b.tree.Path("/var/lib/web")))
	b.must(b.r.Return(b.paths))
	if b.tree.Link("/var/lib/web") != "/srv/web" {
		t.Error("the link of somebody else is gone")
	}
}

func TestReturn_GivesBackALinkAndAFile(t *testing.T) {
	b := newBed(t)
	b.paths = []Path{{Path: "/var/cache/web"}, {Path: "/var/log/web.log"}, {Path: "/var/lib/web", Moved: "/var/lib/private/web"}}
	b.theirs("/srv/x", 0o755)
	b.must(errors.Join(
		os.MkdirAll(b.tree.Path("/var/cache"), 0o755), os.MkdirAll(b.tree.Path("/var/log"), 0o755), os.MkdirAll(b.tree.Path("/var/lib"), 0o755),
		os.Symlink("/srv/x", b.tree.Path("/var/cache/web")), os.Lchown(b.tree.Path("/var/cache/web"), theirUID, theirGID),
		os.Symlink("/srv/x", b.tree.Path("/var/lib/web")), os.Lchown(b.tree.Path("/var/lib/web"), theirUID, theirGID),
		os.WriteFile(b.tree.Path("/var/log/web.log"), []byte("theirs"), 0o640), os.Lchown(b.tree.Path("/var/log/web.log"), theirUID, theirGID),
	))
	before := b.look("/var") + b.look("/srv")
	_, err := b.install(false, true)
	b.must(err)
	for _, p := range b.paths { // as a start of the service does
		b.must(os.Lchown(b.tree.Path(p.Path), dynamic, dynamic))
	}
	b.must(os.Chmod(b.tree.Path("/var/log/web.log"), 0o600))
	b.must(b.r.Return(b.paths))
	if after := b.look("/var") + b.look("/srv"); after != before {
		t.Errorf("there is\n%swas\n%s", after, before)
	}
	// What somebody has put in the place of the one or the other is left alone.
	b.must(errors.Join(
		os.Remove(b.tree.Path("/var/cache/web")), os.Mkdir(b.tree.Path("/var/cache/web"), 0o700),
		os.Remove(b.tree.Path("/var/log/web.log")), os.Link(b.tree.Path("/srv/x/root"), b.tree.Path("/var/log/web.log")),
	))
	before = b.look("/var") + b.look("/srv")
	b.must(b.r.Return(b.paths))
	if after := b.look("/var") + b.look("/srv"); after != before {
		t.Errorf("there is\n%swas\n%s", after, before)
	}
}

func TestWhatAServiceHadBeforeThereWasARecordIsUsedAgain(t *testing.T) {
	b := newBed(t)
	b.theirs("/var/lib/web", 0o755)
	for _, again := range []bool{false, true} {
		if again {
			_, err := b.install(true, false)
			b.must(err)
		}
		b.must(b.r.Forget(b.paths, true)) // uninstall
		if b.r.Left() || b.r.Owns("/var/lib/web") {
			t.Error("purge would remove it")
		}
		p, err := b.install(false, false)
		if err != nil || len(p.Warnings) > 0 {
			t.Fatalf("after uninstall it is refused: %v, %q", err, p.Warnings)
		}
		if !b.r.Owns("/var/cache/web") || b.r.Owns("/var/lib/web") {
			t.Error("what was not there is its own, and nothing else")
		}
	}
	b.must(os.RemoveAll(b.tree.Path("/var/lib/web")))
	b.must(b.r.Forget(b.paths, true))
	if b.tree.Exists("/etc/.glidepath") {
		t.Errorf("the record is left: %s", b.look("/etc/.glidepath"))
	}
}

func TestAFolderOfADynamicUserIsTheSameWhereverItIs(t *testing.T) {
	b := newBed(t)
	b.must(os.MkdirAll(b.tree.Path("/var/lib/private/web"), 0o700)) // without the link
	if _, err := b.install(false, false); !errors.Is(err, service.ErrForeign) {
		t.Errorf("got %v", err)
	}
	_, err := b.install(false, true)
	b.must(err)
	if b.r.Owns("/var/lib/web") || b.r.Owns("/var/lib/private/web") {
		t.Error("it is the service's")
	}
	if list, _ := b.r.Paths(); !slices.Contains(list, "/var/cache/web") || !slices.Contains(list, "/var/cache/private/web") {
		t.Errorf("its own are %q", list)
	}
}

func TestARecordIsReadAsItWasWritten(t *testing.T) {
	want := content{
		own: []string{"/var/lib/a b", "/x"}, used: []string{"/var/log/u s"},
		left:   []left{{"made:1.000000002", "/var/lib/a b"}, {"inode:7", "/x"}},
		before: []before{{0o2750 & 0o777, 1, 2, "/var/cache/c d"}, {0o755 | fs.ModeSticky | fs.ModeSetuid, 0, 65534, "/e"}, {fs.ModeSymlink, 3, 4, "/l"}},
	}
	if got := parse(want.String()); !got.equal(want) {
		t.Errorf("got %+v from\n%s", got, want)
	}
	garbage := "\nx\nused\nused x\nbefore\nbefore 9 1 2 /a\nbefore 0755 x 2 /a\nbefore 0755 1 2 a\nbefore 0755 1 2\nnext /a\nleft\nleft 1\nleft 1 a\nleft /a\n"
	if got := parse(garbage); !got.empty() {
		t.Errorf("got %+v", got)
	}
}

func TestPurge_LeavesWhatWasPutThereSinceUninstall(t *testing.T) {
	b := newBed(t)
	const state, moved, cache = "/var/lib/web", "/var/lib/private/web", "/var/cache/web"
	begin := func() {
		t.Helper()
		_, err := b.install(false, false)
		b.must(err)
		b.must(errors.Join(os.MkdirAll(b.tree.Path(state), 0o755), os.MkdirAll(b.tree.Path(cache), 0o755)))
		b.move(state, moved)
		b.must(b.r.Forget(b.paths, true))
	}
	begin()
	if own, err := b.r.Paths(); err != nil || !slices.Equal(own, []string{cache, moved, state}) {
		t.Fatalf("after uninstall it owns %q, %v", own, err)
	}
	_, err := b.install(false, false) // its own again, which may be made again while it is installed
	b.must(err)
	if text := b.look("/etc/.glidepath"); strings.Contains(text, "left ") {
		t.Errorf("it is installed, and the record says\n%s", text)
	}
	b.must(errors.Join(os.Rename(b.tree.Path(cache), b.tree.Path(cache+".old")), os.Mkdir(b.tree.Path(cache), 0o755)))
	b.must(b.r.Forget(b.paths, true))
	if !b.r.Owns(cache) {
		t.Error("what was made again while it was installed is not its own")
	}
	b.must(errors.Join(os.Remove(b.tree.Path(state)), os.Rename(b.tree.Path(moved), b.tree.Path(moved+".old"))))
	b.theirs(state, 0o755)
	if own, err := b.r.Paths(); err != nil || !slices.Equal(own, []string{cache, moved}) || b.r.Owns(state) || !b.r.Left() {
		t.Errorf("somebody else has made %s, and it owns %q, %v", state, own, err)
	}
	if _, err := b.install(false, false); !errors.Is(err, service.ErrForeign) || !strings.HasPrefix(err.Error(), state+" exists") {
		t.Errorf("install says %v", err)
	}
	if err := b.r.Forget(b.paths, false); err == nil || !strings.HasPrefix(err.Error(), state+" stays: it was put there since uninstall, ") {
		t.Errorf("it says %v", err)
	}
	b.must(b.r.Forget(b.paths, false)) // it was said
	if own, _ := b.r.Paths(); !slices.Equal(own, []string{cache}) {
		t.Errorf("it owns %q", own)
	}
}

// stat is the owner of a file.
func stat(info fs.FileInfo) (string, bool) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", false
	}
	return fmt.Sprintf("%d:%d", s.Uid, s.Gid), true
}
