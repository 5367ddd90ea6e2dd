package manage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/envfile"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
)

// Kept stands in a comment where EnvironmentFile is that of the service that was replaced.
const Kept = "EnvironmentFile is that of the service which this one has replaced."

// CheckEnvironmentFile fails with ErrUnsafe, unless force makes a warning of that, if others
// can write the file that variables come from, or make it where it is missing: whoever sets
// variables such as LD_PRELOAD decides what is run. safe is safe.Executable.
func CheckEnvironmentFile(s Spec, tree files.Tree, safe func(file string, user bool) error, force bool) (warnings []string, err error) {
	if s.EnvironmentFile == "" {
		return nil, nil
	}
	file, optional := envfile.Split(s.EnvironmentFile)
	at := tree.Path(file)
	err = safe(at, s.User)
	if errors.Is(err, fs.ErrNotExist) {
		if !optional {
			warnings = append(warnings, fmt.Sprintf("EnvironmentFile: %s does not exist, and without it the service does not start", file))
		}
		err = safeFolder(at, s.User, safe)
	}
	switch {
	case errors.Is(err, service.ErrUnsafe) && force:
		return append(warnings, "EnvironmentFile: "+err.Error()), nil
	case errors.Is(err, fs.ErrPermission): // a plan needs no rights
		return warnings, nil
	case err != nil:
		return nil, fmt.Errorf("EnvironmentFile is %s: %w", file, err)
	}
	return warnings, nil
}

// safeFolder looks at the folder that a missing file would be in, or the first above it
// that is there.
func safeFolder(file string, user bool, safe func(string, bool) error) error {
	for dir := filepath.Dir(file); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		switch {
		case errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir):
			continue
		case err != nil:
			return err
		case info.Mode()&fs.ModeSticky != 0 && info.Mode().Perm()&0o002 != 0:
			return fmt.Errorf("everybody can make files in %s: %w", dir, service.ErrUnsafe)
		}
		return safe(dir, user)
	}
}
