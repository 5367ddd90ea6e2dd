//go:build unix

package symptom

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/service/manage"
)

func TestBarred_NamesMode(t *testing.T) {
	root := t.TempDir()
	for dir := root; dir != "/"; dir = filepath.Dir(dir) { // the folders of package testing have mode 0700
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm()&1 == 0 {
			if err := os.Chmod(dir, 0o755); err != nil {
				t.Skipf("others cannot be let into the folder of the test: %v", err)
			}
		}
	}
	file := func(name string, mode os.FileMode) string {
		p := filepath.Join(root, name)
		if err := errors.Join(os.WriteFile(p, nil, 0o600), os.Chmod(p, mode)); err != nil {
			t.Fatal(err)
		}
		return p
	}
	folder := filepath.Join(root, "closed")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		file        string
		to          Use
		why, remedy string // "" if nothing bars it
	}{
		{file("secret", 0o600), Read, "may not read SECRET (mode 0600, owner ", "LoadCredential="},
		{file("readable", 0o644), Read, "", ""},
		{file("readable", 0o644), Write, "may not write to ", "have it write to its own folders"},
		{file("open", 0o666), Write, "", ""},
		{file("text", 0o644), Execute, "may not execute ", "chmod o+x "},
		{file("script", 0o755), Execute, "", ""},
		{filepath.Join(root, "new"), Write, "may not write to " + root + " (mode 0755", ""},
		{filepath.Join(root, "new"), Read, "", ""},
		{filepath.Join(folder, "a", "b"), Read, "may not enter " + folder + " (mode 0700", "chmod o+x " + folder},
	} {
		s := Service{Spec: manage.Spec{Name: "web"}, Limits: manage.Confinement{Dynamic: true}}
		why, remedy := Here(s).Barred(test.file, test.to)
		want := strings.ReplaceAll(test.why, "SECRET", test.file)
		if (want == "") != (why == "") || !strings.Contains(why, want) || !strings.Contains(remedy, test.remedy) {
			t.Errorf("%s %s: %q -> %q, want %q -> %q", test.to, test.file, why, remedy, want, test.remedy)
		}
	}
}

func TestBarred_RemedyIsGroupOfAccount(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("the file has to be another's")
	}
	file := filepath.Join(t.TempDir(), "secret file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for dir := filepath.Dir(file); dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil && dir != "/tmp" {
			t.Fatal(err)
		}
		if filepath.Dir(dir) == "/tmp" {
			break
		}
	}
	for account, want := range map[string]string{
		"root":             "",
		"nobody":           "chgrp nogroup '" + file + "' && chmod g+r '" + file + "'",
		"there-is-no-such": "",
	} {
		_, remedy := Here(Service{Limits: manage.Confinement{Account: account}}).Barred(file, Read)
		if remedy = strings.ReplaceAll(remedy, "nobody", "nogroup"); remedy != strings.ReplaceAll(want, "nobody", "nogroup") {
			t.Errorf("%s: %q, want %q", account, remedy, want)
		}
	}
}
