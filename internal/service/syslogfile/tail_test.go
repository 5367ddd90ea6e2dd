//go:build unix

package syslogfile

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
)

// plainly is what lines without a time are shown as.
func plainly(lines ...string) string {
	text := ""
	for _, line := range lines {
		text += "- INFO  " + line + "\n"
	}
	return text
}

func TestWriteFile_LastRecords(t *testing.T) {
	tree := files.Tree(t.TempDir())
	long := strings.Repeat("x", 63<<10) // two of them are more than is read at once
	const stack = "goroutine 1:\n        main.f()\n            x.go:1"
	for text, wants := range map[string]map[int]string{
		"one\ntwo\nthree\n":                 {0: plainly("one", "two", "three"), 1: plainly("three"), 2: plainly("two", "three"), 3: plainly("one", "two", "three"), 9: plainly("one", "two", "three")},
		"one\ntwo":                          {1: plainly("two"), 2: plainly("one", "two")},
		"":                                  {1: ""},
		"one\n\n\n":                         {1: plainly("one")},
		"one\n" + long + "\n" + long + "\n": {1: plainly(long), 2: plainly(long, long)},
		"one\ngoroutine 1:\nmain.f()\n\tx.go:1\n":     {1: plainly("main.f()\n        x.go:1"), 2: plainly("goroutine 1:", "main.f()\n        x.go:1")},
		"one\ngoroutine 1:\n\tmain.f()\n\t\tx.go:1\n": {1: plainly(stack), 2: plainly("one", stack)},
		`{"level":"warn","time":"2026-11-27T10:00:00Z","logger":"web","msg":"slow","took":"2s","peer":{"ip":"::1"},"n":[1,"a b"]}` + "\n": {
			0: local("2026-11-27T10:00:00Z") + ` WARN  web: slow took=2s peer.ip=::1 n=[1, "a b"]` + "\n",
		},
	} {
		if err := os.WriteFile(tree.Path("/log"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for n, want := range wants {
			var b bytes.Buffer
			if err := WriteFile(t.Context(), tree, "/log", manage.LogQuery{LogOptions: service.LogOptions{Lines: n}}, &b); err != nil || b.String() != want {
				t.Errorf("%.20q, the last %d: %.90q, %v, want %.90q", text, n, b.String(), err, want)
			}
		}
	}
	if err := WriteFile(t.Context(), tree, "/none", manage.LogQuery{}, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "there is no /none yet") {
		t.Errorf("got %v", err)
	}
}

func local(at string) string {
	t, _ := time.Parse(time.RFC3339, at)
	return t.Local().Format("2006-01-02T15:04:05.000Z07:00")
}

func TestWriteFile_NothingSinceTheLastWrite(t *testing.T) {
	tree := files.Tree(t.TempDir())
	noon := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	text := "printed\n" + `{"level":"info","time":"2026-11-27T10:00:00Z","msg":"early"}` + "\nbelongs to early\n" +
		`{"level":"info","time":"2026-11-27T11:00:00Z","msg":"late"}` + "\nbelongs to late\n"
	if err := errors.Join(os.WriteFile(tree.Path("/log"), []byte(text), 0o600), os.Chtimes(tree.Path("/log"), noon, noon)); err != nil {
		t.Fatal(err)
	}
	for since, want := range map[time.Time]string{
		noon.Add(time.Second):       "",
		noon.Add(-30 * time.Minute): "- INFO  printed\n",
		noon.Add(-time.Hour):        "- INFO  printed\n" + local("2026-11-27T11:00:00Z") + " INFO  late\n- INFO  belongs to late\n",
	} {
		var b bytes.Buffer
		if err := WriteFile(t.Context(), tree, "/log", manage.LogQuery{LogOptions: service.LogOptions{Since: since, Lines: 5}}, &b); err != nil || b.String() != want {
			t.Errorf("since %s: %q, %v, want %q", since, b.String(), err, want)
		}
	}
}

func TestWriteFile_FollowsThroughRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tree := files.Tree(t.TempDir())
		file := tree.Path("/log")
		ctx, cancel := context.WithCancel(t.Context())
		var p page
		done := make(chan error, 1)
		go func() {
			done <- WriteFile(ctx, tree, "/log", manage.LogQuery{LogOptions: service.LogOptions{Lines: 1, Follow: true}}, &p)
		}()
		see := func(want string) {
			t.Helper()
			time.Sleep(time.Second)
			synctest.Wait()
			if got := p.text(); got != want {
				t.Errorf("it shows %q, not %q", got, want)
			}
		}
		write := func(text string, flag int) {
			t.Helper()
			f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|flag, 0o600)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.WriteString(text); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		}
		see("")
		write("one\n", os.O_APPEND)
		see(plainly("one"))
		write("two\n", os.O_APPEND)
		see(plainly("one", "two"))
		if err := os.Rename(file, filepath.Join(string(tree), "old")); err != nil {
			t.Fatal(err)
		}
		see(plainly("one", "two"))
		write("three\n", os.O_APPEND)
		see(plainly("one", "two", "three"))
		write("4\n", os.O_TRUNC)
		see(plainly("one", "two", "three", "4"))
		cancel()
		if err := <-done; err != nil {
			t.Errorf("got %v", err)
		}
	})
}
