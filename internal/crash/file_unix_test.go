//go:build unix

package crash

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestOpen_OnlyTheOwnerCanReadTheFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "crash")
	child(t, dir, "panic")
	r := taken(t, dir)[0]
	for path, want := range map[string]os.FileMode{dir: 0o700, r.File: 0o600} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s: mode %04o", path, info.Mode().Perm())
		}
	}
}

func TestOpen_RefusesFoldersThatOthersCanChange(t *testing.T) {
	base := t.TempDir()
	elsewhere, link, open := filepath.Join(base, "elsewhere"), filepath.Join(base, "link"), filepath.Join(base, "open")
	if err := errors.Join(os.Mkdir(elsewhere, 0o700), os.Symlink(elsewhere, link), os.Mkdir(open, 0o700), os.Chmod(open, 0o770)); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{link, open} {
		if o, err := Open(dir, Run{}); o != nil || err == nil {
			t.Errorf("Open %s: got %v", dir, err)
		}
		if _, err := Take(dir, "web"); err == nil {
			t.Errorf("Take %s: no error", dir)
		}
		if _, err := List(dir); err == nil {
			t.Errorf("List %s: no error", dir)
		}
	}
	if n := names(t, elsewhere); len(n) != 0 {
		t.Errorf("there are %v", n)
	}
}

func TestList_OfAnotherUserIsReadOnly(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Log("only the superuser can give a folder away")
		return
	}
	dir := t.TempDir()
	path := filepath.Join(dir, crashPrefix+"20260102T030405Z-1-ab"+suffix)
	if err := errors.Join(os.WriteFile(path, append(Run{}.header(), "panic: x"...), 0o600), os.Chown(dir, 12345, 12345)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Run{}); err == nil || !strings.Contains(err.Error(), "12345") {
		t.Errorf("Open: %v", err)
	}
	if _, err := Take(dir, "web"); err == nil {
		t.Error("Take: no error")
	}
	if r, err := List(dir); err != nil || len(r) != 1 || r[0].Text != "panic: x" {
		t.Errorf("List: %+v, %v", r, err)
	}
}

func TestCheckAccess(t *testing.T) {
	const use, look = false, true
	for _, test := range []struct {
		owner, uid int
		mode       os.FileMode
		read       bool
		want       string // "" if permitted
	}{
		{1, 1, 0o700, use, ""},
		{1, 1, 0o755, look, ""},
		{1, 1, 0o720, use, "others can write"},
		{1, 1, 0o702, look, "others can write"},
		{1, 0, 0o700, use, "belongs to the user with ID 1, but this program runs as 0"},
		{1, 0, 0o700, look, ""},
		{1, 2, 0o755, use, "belongs to"},
		{1, 2, 0o755, look, "permission denied"},
		{0, 2, 0o777, look, "permission denied"},
	} {
		t.Run(fmt.Sprintf("%+v", test), func(t *testing.T) {
			err := checkAccess("/x", test.owner, test.mode, test.uid, test.read)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("%+v: %v", test, err)
			}
			if errors.Is(err, os.ErrPermission) != (test.want == "permission denied") {
				t.Errorf("%+v: what is not permitted is %v", test, err)
			}
		})
	}
}

func TestTake_OpensOnlyOurFiles(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("panic: secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, make := range map[string]func(path string) error{
		"link": func(path string) error { return os.Symlink(secret, path) },
		"pipe": func(path string) error { return exec.Command("mkfifo", path).Run() },
		"dir":  func(path string) error { return os.Mkdir(path, 0o700) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := errors.Join(make(filepath.Join(dir, runPrefix+"1-a"+suffix)), make(filepath.Join(dir, crashPrefix+"1-a"+suffix))); err != nil {
				t.Fatal(err)
			}
			if r, err := Take(dir, "web"); len(r) != 0 || err == nil {
				t.Errorf("Take gives %+v, %v", r, err)
			}
			if r, err := List(dir); len(r) != 0 || err == nil {
				t.Errorf("List gives %+v, %v", r, err)
			}
		})
	}
	if b, err := os.ReadFile(secret); err != nil || string(b) != "panic: secret" {
		t.Errorf("the file that a link led to: %q, %v", b, err)
	}
}

func TestLockAndCheck_RefusesAFileThatWasMoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	f, err := create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, err := claim(path); !errors.Is(err, errBusy) {
		t.Errorf("claimed while it is held: %v", err)
	}
	if err := os.Rename(path, path+"2"); err != nil {
		t.Fatal(err)
	}
	if err := lockAndCheck(f, path); !errors.Is(err, errBusy) {
		t.Errorf("held after a rename: %v", err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := lockAndCheck(f, path); !errors.Is(err, errBusy) {
		t.Errorf("held where another has its name: %v", err)
	}
}
