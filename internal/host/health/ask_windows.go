package health

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/windows"
)

// findPeers returns the processes that have a pipe under name.
func findPeers(ctx context.Context, name string, pid int) (peers []peer, err error) {
	pids := []int{pid}
	if pid == 0 {
		if pids, err = findListening(name); err != nil {
			return nil, fmt.Errorf("look for its process: %w", err)
		}
	}
	var refused error
	for _, n := range pids {
		p, err := connect(ctx, pipePath(name, n))
		switch {
		case err == nil && p.pid == n:
			peers = append(peers, p)
		case err == nil:
			_ = p.conn.Close() // the pipe belongs to another process
		case errors.Is(err, windows.ERROR_ACCESS_DENIED):
			refused = fmt.Errorf("%w: process %d runs as another user: ask as that user, or as an administrator", fs.ErrPermission, n)
		}
	}
	if len(peers) == 0 {
		return nil, refused
	}
	return peers, nil
}

// findListening returns the processes that claim to run name.
func findListening(name string) (pids []int, err error) {
	all, err := windows.UTF16PtrFromString(`\\.\pipe\*`)
	if err != nil {
		return nil, err
	}
	var found windows.Win32finddata
	h, err := windows.FindFirstFile(all, &found)
	if err != nil {
		return nil, err
	}
	defer func() { _ = windows.FindClose(h) }()
	for ; err == nil; err = windows.FindNextFile(h, &found) {
		number, ok := strings.CutPrefix(windows.UTF16ToString(found.FileName[:]), addressPrefix(name))
		if pid, bad := strconv.Atoi(number); ok && bad == nil {
			pids = append(pids, pid)
		}
	}
	if !errors.Is(err, windows.ERROR_NO_MORE_FILES) {
		return nil, err
	}
	return pids, nil
}

// busyPause is the time between two tries while all instances are in use.
const busyPause = 20 * time.Millisecond

// connect opens a pipe. The other end can identify this user but not impersonate it.
func connect(ctx context.Context, path string) (peer, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return peer{}, err
	}
	var h windows.Handle
	for {
		h, err = windows.CreateFile(name, windows.GENERIC_READ, 0, nil, windows.OPEN_EXISTING,
			windows.FILE_FLAG_OVERLAPPED|windows.SECURITY_SQOS_PRESENT|windows.SECURITY_IDENTIFICATION, 0)
		if !errors.Is(err, windows.ERROR_PIPE_BUSY) || ctx.Err() != nil {
			break
		}
		sleep(ctx, busyPause)
	}
	if err != nil {
		return peer{}, err
	}
	var pid uint32
	if err := windows.GetNamedPipeServerProcessId(h, &pid); err != nil {
		_ = windows.CloseHandle(h)
		return peer{}, err
	}
	owner, ours := pipeOwner(h)
	return peer{pid: int(pid), user: owner, ours: ours, conn: os.NewFile(uintptr(h), path)}, nil
}

// pipeOwner returns the user who made the pipe, and whether that is the user of this process,
// an administrator or the system.
func pipeOwner(h windows.Handle) (owner string, ours bool) {
	security, err := windows.GetSecurityInfo(h, windows.SE_KERNEL_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return "an unknown user", false
	}
	sid, _, err := security.Owner()
	if err != nil {
		return "an unknown user", false
	}
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	ours = err == nil && sid.Equals(user.User.Sid) ||
		sid.IsWellKnown(windows.WinBuiltinAdministratorsSid) || sid.IsWellKnown(windows.WinLocalSystemSid)
	return sid.String(), ours
}

// isClosed reports whether the other end has closed the pipe.
func isClosed(err error) bool {
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, windows.ERROR_PIPE_NOT_CONNECTED)
}
