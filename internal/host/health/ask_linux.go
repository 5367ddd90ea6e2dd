package health

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// findPeers returns the processes that listen under name.
func findPeers(ctx context.Context, name string, pid int) (peers []peer, err error) {
	addresses, err := findListening(addressPrefix(name))
	if err != nil {
		return nil, fmt.Errorf("look for its process: %w", err)
	}
	for _, a := range addresses {
		c, err := (&net.Dialer{}).DialContext(ctx, "unix", a)
		if err != nil {
			continue // it has ended, or too many clients wait already
		}
		who, err := credentials(c.(*net.UnixConn))
		if err != nil || pid != 0 && !runsAs(pid, who.Uid) {
			_ = c.Close()
			continue
		}
		peers = append(peers, peer{
			pid: int(who.Pid), user: "user " + strconv.Itoa(int(who.Uid)),
			ours: who.Uid == 0 || int(who.Uid) == os.Geteuid(),
			same: os.Geteuid() == 0 && sameProgram(int(who.Pid)),
			deaf: os.Geteuid() != 0 && int(who.Uid) != os.Geteuid(),
			conn: c.(*net.UnixConn),
		})
	}
	return peers, nil
}

// findListening returns the abstract socket names that begin with prefix and have a listener.
func findListening(prefix string) (names []string, err error) {
	f, err := os.Open("/proc/self/net/unix")
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		// Num RefCount Protocol Flags Type St Inode Path, see proc_net(5)
		fields := strings.Fields(lines.Text())
		if len(fields) == 8 && fields[3] == "00010000" && strings.HasPrefix(fields[7], prefix) {
			names = append(names, fields[7])
		}
	}
	return names, lines.Err()
}

// runsAs reports whether the process pid runs as the user uid. The credentials of a socket date
// from when its process began to listen. Since then, that process may have ended, passed on
// its socket, and another process may have got its PID.
func runsAs(pid int, uid uint32) bool {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(status)) {
		// Uid: real effective saved file-system
		if ids, ok := strings.CutPrefix(line, "Uid:"); ok {
			fields := strings.Fields(ids)
			return len(fields) == 4 && fields[1] == strconv.FormatUint(uint64(uid), 10)
		}
	}
	return false
}

// sameProgram reports whether the process pid runs the executable of this process.
func sameProgram(pid int) bool {
	own, err := os.Stat("/proc/self/exe")
	if err != nil {
		return false
	}
	its, err := os.Stat("/proc/" + strconv.Itoa(pid) + "/exe")
	return err == nil && os.SameFile(own, its)
}

// isClosed reports whether the other end has closed the connection.
func isClosed(err error) bool {
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET)
}
