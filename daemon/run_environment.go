package daemon

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"

	"github.com/go-glidepath/glidepath/internal/envfile"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// maxEnvironmentFile limits the bytes of a file: no process can have that many.
const maxEnvironmentFile = 4 << 20

// readEnvironment sets the variables in Service.EnvironmentFile if the manager leaves that
// to the process. It returns descriptions of the lines that it ignored. It removes the name
// of the file from the environment, so that child processes do not inherit it.
func readEnvironment() (ignored []string, err error) {
	setting := os.Getenv(envfile.Variable)
	if setting == "" {
		return nil, nil
	}
	path, optional := envfile.Split(setting)
	text, err := readFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && optional:
		return nil, os.Unsetenv(envfile.Variable)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%w: Service.EnvironmentFile: %w: make it readable for the account of the service", ErrConfig, err)
	case err != nil:
		return nil, fmt.Errorf("%w: Service.EnvironmentFile: %w", ErrConfig, err)
	}
	vars, ignored := envfile.Parse(text)
	for _, v := range vars {
		name := v.Name
		if runtime.GOOS == "windows" {
			name = strings.ToUpper(name)
		}
		if manage.Reserved(name) {
			ignored = append(ignored, v.Name+" can only be set by the service manager")
			continue
		}
		if err := os.Setenv(v.Name, v.Value); err != nil {
			return nil, fmt.Errorf("%w: Service.EnvironmentFile: set %s: %w", ErrConfig, v.Name, err)
		}
	}
	for i, what := range ignored {
		ignored[i] = path + ": " + what
	}
	return ignored, os.Unsetenv(envfile.Variable)
}

func readFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxEnvironmentFile+1))
	if err == nil && len(text) > maxEnvironmentFile {
		err = fmt.Errorf("%s has more than %d bytes", path, maxEnvironmentFile)
	}
	return string(text), err
}
