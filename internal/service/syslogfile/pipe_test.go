//go:build linux || darwin || freebsd

package syslogfile

import (
	"bytes"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
)

func TestWriteFile_ReadsNoLinkAndNoPipe(t *testing.T) {
	tree := files.Tree(t.TempDir())
	for _, err := range []error{
		os.WriteFile(tree.Path("/shadow"), []byte("secret\n"), 0o600),
		os.Symlink("shadow", tree.Path("/log")),
		syscall.Mkfifo(tree.Path("/pipe"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for file, want := range map[string]string{"/log": "/log is a link to shadow", "/pipe": "/pipe is p"} {
		var b bytes.Buffer
		done := make(chan error, 1)
		go func() { done <- WriteFile(t.Context(), tree, file, manage.LogQuery{}, &b) }()
		select {
		case err := <-done:
			if err == nil || !strings.HasPrefix(err.Error(), want) || b.Len() > 0 {
				t.Errorf("%s: %v, and shows %q", file, err, b.String())
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: it waits for a writer", file)
		}
	}
}
