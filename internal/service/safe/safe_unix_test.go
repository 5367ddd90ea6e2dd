//go:build unix

package safe

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-glidepath/glidepath/internal/service"
)

func TestWhoCanReplaceTheExecutable(t *testing.T) {
	for name, test := range map[string]struct {
		dir, file fs.FileMode
		safe      bool
	}{
		"nobody else":                      {0o755, 0o755, true},
		"everybody, by writing to it":      {0o755, 0o757, false},
		"everybody, by replacing it":       {0o757, 0o755, false},
		"nobody, for the folder is /tmp's": {0o777 | fs.ModeSticky, 0o755, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "d")
			file := filepath.Join(dir, "web")
			if err := errors.Join(os.Mkdir(dir, 0o755), os.WriteFile(file, nil, 0o755), os.Chmod(file, test.file), os.Chmod(dir, test.dir)); err != nil {
				t.Fatal(err)
			}
			if err := Executable(file, true); (err == nil) != test.safe || err != nil && !errors.Is(err, service.ErrUnsafe) {
				t.Errorf("got %v", err)
			}
			link := filepath.Join(t.TempDir(), "link")
			if err := os.Symlink(file, link); err != nil {
				t.Fatal(err)
			}
			if err := Executable(link, true); (err == nil) != test.safe {
				t.Errorf("through a link: %v", err)
			}
		})
	}
}

func TestWhatIsNotThereIsAnError(t *testing.T) {
	if err := Executable(filepath.Join(t.TempDir(), "web"), true); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
