package daemon

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/envfile"
)

func TestEnvironmentFile_SetsVariables(t *testing.T) {
	file := filepath.Join(t.TempDir(), "web")
	const text = "A_OF_FILE='a  b'\nexport B_OF_FILE=$HOME$(touch /tmp/x)\nif true\nSTATE_DIRECTORY=/elsewhere\nA_OF_ENV=file\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"A_OF_FILE", "B_OF_FILE", "STATE_DIRECTORY"} {
		t.Setenv(name, "") // restores it after the test
		_ = os.Unsetenv(name)
	}
	t.Setenv("A_OF_ENV", "environment")
	t.Setenv("C_OF_ENV", "c")
	t.Setenv(envfile.Variable, "-"+file)
	ignored, err := readEnvironment()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"A_OF_FILE": "a  b", "B_OF_FILE": "$HOME$(touch /tmp/x)", "A_OF_ENV": "file", "C_OF_ENV": "c", "STATE_DIRECTORY": "", envfile.Variable: ""} {
		if got := os.Getenv(name); got != want {
			t.Errorf("%s=%q, want %q", name, got, want)
		}
	}
	if _, inherited := os.LookupEnv(envfile.Variable); inherited {
		t.Errorf("children inherit %s", envfile.Variable)
	}
	if want := []string{file + ": line 3 is not NAME=value", file + ": STATE_DIRECTORY can only be set by the service manager"}; !slices.Equal(ignored, want) {
		t.Errorf("ignored %q, want %q", ignored, want)
	}
}

func TestEnvironmentFile_CannotBeRead(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "web")
	t.Setenv(envfile.Variable, "-"+missing)
	if ignored, err := readEnvironment(); err != nil || ignored != nil {
		t.Errorf("one that may be missing: %q, %v", ignored, err)
	}
	t.Setenv(envfile.Variable, missing)
	if _, err := readEnvironment(); !errors.Is(err, ErrConfig) || !errors.Is(err, os.ErrNotExist) || ExitCode(err) != 78 {
		t.Errorf("one that may not: %v", err)
	}
	if runtime.GOOS == "windows" || os.Geteuid() == 0 {
		return // it can be read
	}
	if err := os.WriteFile(missing, nil, 0o200); err != nil {
		t.Fatal(err)
	}
	if _, err := readEnvironment(); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "make it readable for the account of the service") {
		t.Errorf("one of another user: %v", err)
	}
}

func TestEnvironmentFile_HasALimit(t *testing.T) {
	file := filepath.Join(t.TempDir(), "web")
	if err := os.WriteFile(file, make([]byte, maxEnvironmentFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(envfile.Variable, file)
	if _, err := readEnvironment(); !errors.Is(err, ErrConfig) {
		t.Errorf("a file of %d bytes: %v", maxEnvironmentFile+1, err)
	}
}
