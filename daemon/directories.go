package daemon

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/runctx"
)

// Paths are the folders of a service's own, absolute. What is in State and
// Configuration stays; what is in Cache can be made again; Runtime, for sockets and the
// like, is empty after each start of the machine, and often of the service.
type Paths struct{ State, Cache, Logs, Runtime, Configuration string }

// Directories returns the folders of the service. They are there, but not
// Configuration's contents: what the operator may write there is up to the program.
//
// A service that install has made finds what its manager has made for it, and named in
// the environment: STATE_DIRECTORY, CACHE_DIRECTORY, LOGS_DIRECTORY, RUNTIME_DIRECTORY
// and CONFIGURATION_DIRECTORY, as systemd.exec(5) has them, the first where one names
// several. An operator can move a folder by setting the variable.
//
// A program that is no such service has those of a service of the machine if it runs as
// root, or as an elevated administrator of Windows, and else those of its user. With
// Config.Name in the place of NAME:
//
//	         of the machine                      of a user
//	Linux    /var/lib, /var/cache, /var/log,     $XDG_STATE_HOME (~/.local/state), $XDG_CACHE_HOME
//	         /run and /etc, /NAME                (~/.cache), ~/.local/state/log, $XDG_RUNTIME_DIR and
//	                                             $XDG_CONFIG_HOME (~/.config), /NAME
//	FreeBSD  /var/db, /var/cache, /var/log,      as Linux
//	         /var/run and /usr/local/etc, /NAME
//	macOS    Application Support, Caches, Logs   those in ~/Library; $TMPDIR/NAME/runtime
//	         and Preferences in /Library,
//	         /NAME; /var/run/NAME
//	Windows  %ProgramData%\NAME\state, …\cache,  %LocalAppData%\NAME\…
//	         …\logs, …\runtime, …\configuration
//	others   as Linux, with /var/run             as Linux
//
// What a user lacks, HOME for one, is in NAME below the folder for temporary files;
// for State, which is lost there sooner or later, that is a warning in the log.
//
// Install does not know the folders of the machine that such a run has made. It takes
// them over only with InstallOptions.Force.
//
// These are made when they are asked for, with mode 0700 (Windows: for administrators and
// the system only, or with what LocalAppData hands down). A folder of that name that is
// a link, belongs to somebody else or can be written by others is not used, and nothing
// is made through a link that somebody else has made: the error says what to do. What
// the environment names is the manager's business, and used as it is; if it is missing
// it is made.
//
// An error is about each folder that cannot be had; the others are returned with it, so
// that a program that needs but some looks at those. Directories may be called from any
// goroutine, in Start and later; it looks again each time. Where there is no run there is no
// service to ask for, and it is an error; in a test, daemontest.Context has temporary ones.
func Directories(ctx context.Context) (Paths, error) {
	r := runctx.Find(ctx)
	if r == nil {
		return Paths{}, errors.New("daemon.Directories: the context is not one that Run has given to a Program; in a test, use daemontest.Context")
	}
	d, err := r.Directories()
	return Paths(d), err
}

// Directories finds and makes them.
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

// stateDir finds and makes the folder for the state.
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
