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
	"github.com/go-glidepath/glidepath/internal/service"
)

// maxEnvironmentFile is how much of a file is read: more than any process can have.
const maxEnvironmentFile = 4 << 20

// readEnvironment sets the variables of Service.EnvironmentFile, where the manager leaves
// that to the process. It returns what of the file is not understood. Children do not find
// the name of the file in their environment.
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
		return nil, fmt.Errorf("%w: Service.EnvironmentFile: %w: the account of the service has to be allowed to read it", ErrConfig, err)
	case err != nil:
		return nil, fmt.Errorf("%w: Service.EnvironmentFile: %w", ErrConfig, err)
	}
	vars, ignored := envfile.Parse(text)
	for _, v := range vars {
		name := v.Name
		if runtime.GOOS == "windows" {
			name = strings.ToUpper(name)
		}
		if service.Reserved(name) {
			ignored = append(ignored, v.Name+" is the manager's to set")
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
