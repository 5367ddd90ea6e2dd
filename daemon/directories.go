package daemon

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/runctx"
)

// Paths holds the absolute paths of a service's own folders. The files in State and
// Configuration are kept. Those in Cache can be made again. Runtime, for sockets and the
// like, is empty after each start of the machine, and often after each start of the
// service.
type Paths struct{ State, Cache, Logs, Runtime, Configuration string }

// Directories returns the folders of the service, and makes those that are missing. The
// [table of folders] says where they are on each system. The operator writes the files in
// Configuration; the program says which.
//
// A service that install has made uses the folders that its manager has made for it and
// named in the environment: STATE_DIRECTORY, CACHE_DIRECTORY, LOGS_DIRECTORY,
// RUNTIME_DIRECTORY and CONFIGURATION_DIRECTORY, as in systemd.exec(5). If a variable names
// several folders, the first one counts. An operator can move a folder by setting its
// variable.
//
// Any other program uses the folders of a service of the machine if it runs as root or as
// an elevated administrator of Windows, and those of its user otherwise. If the user has no
// place for a folder, for example because HOME is not set, it is below the folder for
// temporary files. State is lost there sooner or later, so a warning in the log says so.
//
// Folders that the environment names are used as they are. The others are made with mode
// 0700 (on Windows, for administrators and the system only, or with what LocalAppData
// passes on). A folder that is a link, belongs to another user or can be written by others
// is not used, and no folder is made through a link of another user: the error says what to
// do. A later install does not consider the folders its own. It takes them over only with
// InstallOptions.Force.
//
// The error describes each folder that is not available. The others are returned with it,
// for a program that needs only some of them. Directories may be called from any goroutine,
// in Start and later; each call looks again. Without a run it returns an error; in a test,
// daemontest.Context has temporary folders.
//
// [table of folders]: https://github.com/go-glidepath/glidepath/blob/main/daemon/docs/reference.md#folders
func Directories(ctx context.Context) (Paths, error) {
	r := runctx.Find(ctx)
	if r == nil {
		return Paths{}, errors.New("daemon.Directories: the context was not given to a Program by Run; in a test, use daemontest.Context")
	}
	d, err := r.Directories()
	return Paths(d), err
}

// Directories finds the folders, and makes those that are missing.
func (r *run) Directories() (dirs.Dirs, error) {
	if r.env.Folder != nil {
		return dirs.In(r.env.Folder())
	}
	d, lost, err := dirs.Make(r.config.Name)
	if lost {
		r.log.Warn("what the program keeps is lost when temporary files are: set HOME or STATE_DIRECTORY", zap.String("state", d.State))
	}
	if err != nil {
		return d, fmt.Errorf("the folders of %s: %w", r.config.Name, err)
	}
	return d, nil
}

// stateDir returns the folder for the state, and makes it if it is missing.
func (r *run) stateDir() (string, error) {
	if r.env.Folder != nil {
		d, err := dirs.In(r.env.Folder())
		return d.State, err
	}
	state, err := dirs.State(r.config.Name)
	if err != nil {
		return state, fmt.Errorf("the state folder of %s: %w", r.config.Name, err)
	}
	return state, nil
}
