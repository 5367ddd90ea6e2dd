//go:build unix

package logfile

import (
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/zap/zapcore"
)

func TestWrite_FollowsNoLink(t *testing.T) {
	dir := t.TempDir()
	path, elsewhere := filepath.Join(dir, "web.log"), filepath.Join(dir, "elsewhere")
	if err := os.Symlink(elsewhere, path); err != nil {
		t.Fatal(err)
	}
	core := New(Options{Path: path})
	if err := core.Write(zapcore.Entry{}, nil); err == nil {
		t.Error("no error")
	}
	if _, err := os.Stat(elsewhere); err == nil {
		t.Error("it was made")
	}
}
