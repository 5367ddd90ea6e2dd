//go:build unix

package manage_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/safe"
)

func TestWhoCanWriteAnEnvironmentFile(t *testing.T) {
	dir := t.TempDir()
	trap := filepath.Join(dir, "trap")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Mkdir(trap, 0o755))
	must(os.Chmod(trap, 0o777|fs.ModeSticky))
	write := func(name string, mode fs.FileMode) string {
		file := filepath.Join(dir, name)
		must(os.WriteFile(file, []byte("A=1\n"), 0o600))
		must(os.Chmod(file, mode))
		return file
	}
	for _, c := range []struct {
		setting, warning string
		unsafe           bool
	}{
		{"", "", false},
		{write("private", 0o600), "", false},
		{"-" + write("readable", 0o644), "", false},
		{write("open", 0o666), "everybody can write to ", true},
		{"-" + filepath.Join(dir, "missing"), "", false},
		{"-" + filepath.Join(dir, "none/missing"), "", false},
		{filepath.Join(dir, "missing"), "missing does not exist, and without it the service does not start", false},
		{"-" + filepath.Join(trap, "missing"), "everybody can make files in " + trap, true},
		{"-" + filepath.Join(trap, "none/missing"), "everybody can make files in " + trap, true},
	} {
		s := manage.Spec{Config: service.Config{EnvironmentFile: c.setting, User: os.Geteuid() != 0}}
		warnings, err := manage.CheckEnvironmentFile(s, "", safe.Executable, false)
		if errors.Is(err, service.ErrUnsafe) != c.unsafe || err != nil && (!c.unsafe || !strings.Contains(err.Error(), c.warning)) {
			t.Errorf("%q: %v", c.setting, err)
		}
		if c.unsafe {
			warnings, err = manage.CheckEnvironmentFile(s, "", safe.Executable, true)
		}
		if said := strings.Join(warnings, "\n"); err != nil || !strings.Contains(said, c.warning) || c.warning == "" && said != "" {
			t.Errorf("%q, with force: %q, %v; want %q", c.setting, said, err, c.warning)
		}
	}
}
