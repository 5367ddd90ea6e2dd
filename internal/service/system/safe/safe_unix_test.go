//go:build unix

package safe

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
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

func TestEveryLinkOnTheWayCounts(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root gives files away")
	}
	const somebody = 12345
	base := t.TempDir()
	at := func(p string) string { return filepath.Join(base, p) }
	var errs []error
	for _, dir := range []string{"bin", "opt", "opt/web-1", "home", "tmp"} {
		errs = append(errs, os.Mkdir(at(dir), 0o755))
	}
	errs = append(errs,
		os.WriteFile(at("opt/web-1/web"), nil, 0o755),
		os.Symlink("../opt/web-1", at("bin/fine")),
		os.Symlink(at("opt/web-1"), at("home/current")), // the second link: neither of the folders of the first, nor of the end
		os.Lchown(at("home"), somebody, somebody),
		os.Symlink(at("home/current/web"), at("bin/web")),
		os.Chmod(at("tmp"), 0o777|fs.ModeSticky),
		os.Symlink(at("opt/web-1/web"), at("tmp/web")),
		os.Lchown(at("tmp/web"), somebody, somebody),
		os.Symlink("loop", at("bin/loop")),
	)
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	for file, what := range map[string]string{
		"bin/web": at("home"),    // leads there
		"tmp/web": at("tmp/web"), // the link is somebody's
	} {
		if err := Executable(at(file), false); !errors.Is(err, service.ErrUnsafe) || !strings.HasPrefix(err.Error(), what+" belongs to") {
			t.Errorf("%s: %v", file, err)
		}
	}
	if err := Executable(at("bin/fine/web"), false); err != nil {
		t.Error(err)
	}
	if err := Executable(at("bin/loop"), false); err == nil || errors.Is(err, service.ErrUnsafe) {
		t.Errorf("a loop: %v", err)
	}
}
