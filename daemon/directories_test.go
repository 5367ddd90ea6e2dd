package daemon_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/daemon/daemontest"
	"github.com/go-glidepath/glidepath/internal/host"
)

// folderVariables lists the variables in which managers name the folders.
var folderVariables = []string{"STATE_DIRECTORY", "CACHE_DIRECTORY", "LOGS_DIRECTORY", "RUNTIME_DIRECTORY", "CONFIGURATION_DIRECTORY"}

func TestDirectories_ReturnsTheFoldersOfTheManager(t *testing.T) {
	base := t.TempDir()
	for _, variable := range folderVariables {
		t.Setenv(variable, filepath.Join(base, variable))
	}
	var got daemon.Paths
	ctx := host.NewContext(t.Context(), host.Env{})
	err := daemon.Run(ctx, daemon.Func(func(ctx context.Context, ready func()) (err error) {
		got, err = daemon.Directories(ctx)
		return err
	}), daemon.Config{Name: "web", Logger: zap.NewNop()})
	want := daemon.Paths{
		filepath.Join(base, folderVariables[0]), filepath.Join(base, folderVariables[1]), filepath.Join(base, folderVariables[2]), filepath.Join(base, folderVariables[3]), filepath.Join(base, folderVariables[4]),
	}
	if err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, variable := range folderVariables {
		if info, err := os.Stat(filepath.Join(base, variable)); err != nil || !info.IsDir() {
			t.Errorf("%s: %v", variable, err)
		}
	}
}

func TestDirectories_NamesTheFolderThatIsNotAvailable(t *testing.T) {
	base := t.TempDir()
	for _, variable := range folderVariables {
		t.Setenv(variable, base)
	}
	t.Setenv("CACHE_DIRECTORY", "relative")
	var got daemon.Paths
	ctx := host.NewContext(t.Context(), host.Env{})
	err := daemon.Run(ctx, daemon.Func(func(ctx context.Context, ready func()) (err error) {
		got, err = daemon.Directories(ctx)
		return err
	}), daemon.Config{Name: "web", Logger: zap.NewNop()})
	if err == nil || !strings.Contains(err.Error(), `the folders of web: CACHE_DIRECTORY="relative"`) {
		t.Errorf("got %v", err)
	}
	if want := (daemon.Paths{State: base, Logs: base, Runtime: base, Configuration: base}); got != want {
		t.Errorf("got %+v", got)
	}
}

func TestDirectories_FailsWithoutARun(t *testing.T) {
	if got, err := daemon.Directories(t.Context()); err == nil || got != (daemon.Paths{}) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestDirectories_OfATestAreItsOwn(t *testing.T) {
	t.Setenv("STATE_DIRECTORY", "/var/lib/of-another-service")
	ctx := daemontest.Context(t)
	one, err := daemon.Directories(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := daemon.Directories(ctx); err != nil || again != one {
		t.Errorf("the second time: %+v, %v", again, err)
	}
	if other, err := daemon.Directories(daemontest.Context(t)); err != nil || other == one {
		t.Errorf("another program of the test has the same: %v", err)
	}
	if info, err := os.Stat(one.State); err != nil || !info.IsDir() || strings.Contains(one.State, "another-service") {
		t.Errorf("%s: %v", one.State, err)
	}
}

func TestDirectories_KeepTheFilesOfADrivenService(t *testing.T) {
	folder := t.TempDir()
	notes := func(m daemontest.Manager) (found string) {
		p := program{start: func(ctx context.Context) error {
			d, err := daemon.Directories(ctx)
			if err != nil {
				return err
			}
			file := filepath.Join(d.State, "notes")
			text, _ := os.ReadFile(file)
			found = string(text)
			return os.WriteFile(file, []byte(found+"x"), 0o600)
		}}
		if err := daemontest.Drive(t, m, p, daemon.Config{}, func() {}); err != nil {
			t.Error(err)
		}
		return found
	}
	for i, m := range []daemontest.Manager{
		&daemontest.Systemd{Folder: folder}, &daemontest.SCM{Folder: folder}, &daemontest.Systemd{Folder: folder},
	} {
		if got := notes(m); got != strings.Repeat("x", i) {
			t.Errorf("run %d finds %q", i, got)
		}
	}
	for _, m := range []daemontest.Manager{&daemontest.Systemd{}, &daemontest.SCM{}} {
		if got := notes(m); got != "" {
			t.Errorf("it finds %q in a folder of its own", got)
		}
	}
}
