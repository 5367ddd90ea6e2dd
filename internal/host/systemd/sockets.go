package systemd

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/go-glidepath/glidepath/internal/host"
)

// firstDescriptor is the number of the first descriptor that systemd passes.
const firstDescriptor = 3

// unnamed is the name of descriptors if the manager gives none.
const unnamed = "unknown"

// TakeSockets returns the descriptors that systemd has passed, in its order, and removes the
// variables that describe them from the environment, as sd_listen_fds_with_names(3) does.
// Child processes do not inherit the descriptors. If the variables or the descriptors are
// invalid, TakeSockets returns none and an error.
//
// Call it before [Take].
func TakeSockets() ([]host.Socket, error) {
	sockets, err := takeSockets(os.Getenv, os.Getpid(), ownPidfd, firstDescriptor)
	for _, key := range listenVariables {
		_ = os.Unsetenv(key)
	}
	return sockets, err
}

func takeSockets(get func(string) string, pid int, pidfd func() (uint64, bool), first int) ([]host.Socket, error) {
	n, names, err := parseListen(get, pid, pidfd, first)
	if n == 0 {
		return nil, err
	}
	// Even if the names are wrong, no child may inherit the descriptors.
	if bad := closeOnExec(first, n); bad != nil {
		return nil, errors.Join(err, bad)
	}
	var sockets []host.Socket
	for i := range n {
		name := unnamed
		if names != nil {
			name = names[i]
		}
		sockets = append(sockets, host.Socket{Name: name, File: os.NewFile(uintptr(first+i), name)})
	}
	if err != nil {
		for _, s := range sockets {
			_ = s.File.Close() // nothing can use them
		}
		return nil, err
	}
	return sockets, nil
}

// parseListen returns the number of descriptors for this process and their names, nil if they
// have none. If it returns an error, n is 0 unless only the names are wrong.
func parseListen(get func(string) string, pid int, pidfd func() (uint64, bool), first int) (n int, names []string, err error) {
	wrong := func(key, want string) error {
		return fmt.Errorf("%s=%q: want %s", key, get(key), want)
	}
	if get("LISTEN_PID") == "" || get("LISTEN_FDS") == "" {
		return 0, nil, nil
	}
	switch whose, err := strconv.ParseUint(get("LISTEN_PID"), 10, 31); {
	case err != nil || whose == 0:
		return 0, nil, wrong("LISTEN_PID", "the number of a process")
	case int(whose) != pid:
		return 0, nil, nil
	}
	// A PID may be used again after its process has ended. The inode of a pidfd is not.
	if id := get("LISTEN_PIDFDID"); id != "" {
		want, err := strconv.ParseUint(id, 10, 64)
		if err != nil {
			return 0, nil, wrong("LISTEN_PIDFDID", "the inode of a process")
		}
		if own, ok := pidfd(); ok && own != want {
			return 0, nil, nil
		}
	}
	count, err := strconv.ParseUint(get("LISTEN_FDS"), 10, 31)
	if err != nil || count == 0 || count > uint64(math.MaxInt32-first) {
		return 0, nil, wrong("LISTEN_FDS", "the number of descriptors, at least 1")
	}
	if list := get("LISTEN_FDNAMES"); list != "" {
		names = strings.Split(list, ":")
		if len(names) != int(count) {
			return int(count), nil, wrong("LISTEN_FDNAMES", fmt.Sprintf("%d names, as LISTEN_FDS says", count))
		}
	}
	return int(count), names, nil
}
