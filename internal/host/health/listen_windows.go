package health

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// writeBound limits the time for writing an answer. The answer fits into the buffer of the
// pipe.
const writeBound = time.Second

// addressPrefix returns the name of the pipe without the PID. No program name contains a plus
// sign.
func addressPrefix(name string) string { return `glidepath+` + name + `+` }

func pipePath(name string, pid int) string {
	return `\\.\pipe\` + addressPrefix(name) + strconv.Itoa(pid)
}

// pipes is a named pipe. It always has one instance more than are in use: without an instance,
// another process could take the name.
type pipes struct {
	path     *uint16
	security windows.SecurityAttributes
	next     windows.Handle // the instance for the next client, 0 if there is none
	ended    windows.Handle // an event that is set by close

	// The system uses this during an operation, so it must not be on a stack.
	connecting windows.Overlapped
}

func listen(name string) (listener, error) {
	path, err := windows.UTF16PtrFromString(pipePath(name, os.Getpid()))
	if err != nil {
		return nil, err
	}
	p := &pipes{path: path}
	if p.security, err = pipeSecurity(); err != nil {
		return nil, err
	}
	if p.ended, err = windows.CreateEvent(nil, 1, 0, nil); err != nil {
		return nil, fmt.Errorf("make an event: %w", err)
	}
	if p.connecting.HEvent, err = windows.CreateEvent(nil, 1, 0, nil); err == nil {
		p.next, err = p.create(windows.FILE_FLAG_FIRST_PIPE_INSTANCE)
	}
	if err != nil {
		p.release()
		return nil, err
	}
	return p, nil
}

// pipeSecurity permits access to the system, administrators and the user of this process, and
// denies it over the network.
func pipeSecurity() (windows.SecurityAttributes, error) {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return windows.SecurityAttributes{}, fmt.Errorf("find the user of this process: %w", err)
	}
	descriptor, err := windows.SecurityDescriptorFromString("D:P(D;;GA;;;NU)(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;" + user.User.Sid.String() + ")")
	if err != nil {
		return windows.SecurityAttributes{}, fmt.Errorf("make the access list of the pipe: %w", err)
	}
	return windows.SecurityAttributes{Length: uint32(unsafe.Sizeof(windows.SecurityAttributes{})), SecurityDescriptor: descriptor}, nil
}

func (p *pipes) create(flags uint32) (windows.Handle, error) {
	const several = 4
	h, err := windows.CreateNamedPipe(p.path, windows.PIPE_ACCESS_OUTBOUND|windows.FILE_FLAG_OVERLAPPED|flags,
		windows.PIPE_TYPE_BYTE|windows.PIPE_REJECT_REMOTE_CLIENTS, several, 2*maxAnswer, 0, 0, &p.security)
	if err != nil {
		return 0, fmt.Errorf("make a pipe: %w", err)
	}
	return h, nil
}

func (p *pipes) accept() (io.WriteCloser, error) {
	if p.next == 0 { // there is no instance at all
		var err error
		if p.next, err = p.create(windows.FILE_FLAG_FIRST_PIPE_INSTANCE); err != nil {
			return nil, p.closedOr(err)
		}
	}
	if err := p.connect(); err != nil {
		_ = windows.CloseHandle(p.next)
		p.next = 0
		return nil, p.closedOr(err)
	}
	conn := &instance{handle: p.next}
	p.next, _ = p.create(0) // if it fails, the next accept tries again
	return conn, nil
}

// connect waits for the next client.
func (p *pipes) connect() error {
	err := windows.ConnectNamedPipe(p.next, &p.connecting)
	for errors.Is(err, windows.ERROR_NO_DATA) { // the client has gone already
		if err := windows.DisconnectNamedPipe(p.next); err != nil {
			return err
		}
		err = windows.ConnectNamedPipe(p.next, &p.connecting)
	}
	switch {
	case err == nil, errors.Is(err, windows.ERROR_PIPE_CONNECTED):
		return nil
	case !errors.Is(err, windows.ERROR_IO_PENDING):
		return err
	}
	signaled, err := windows.WaitForMultipleObjects([]windows.Handle{p.connecting.HEvent, p.ended}, false, windows.INFINITE)
	if signaled != windows.WAIT_OBJECT_0 {
		_ = windows.CancelIoEx(p.next, &p.connecting)
	}
	var n uint32
	return errors.Join(err, windows.GetOverlappedResult(p.next, &p.connecting, &n, true))
}

// closedOr returns net.ErrClosed if the listener was closed, and err otherwise.
func (p *pipes) closedOr(err error) error {
	if state, _ := windows.WaitForSingleObject(p.ended, 0); state == windows.WAIT_OBJECT_0 {
		p.release()
		return net.ErrClosed
	}
	return err
}

func (p *pipes) close() { _ = windows.SetEvent(p.ended) }

func (p *pipes) release() {
	for _, h := range []windows.Handle{p.next, p.connecting.HEvent, p.ended} {
		if h != 0 {
			_ = windows.CloseHandle(h)
		}
	}
	p.next = 0
}

// instance is an instance of the pipe with a client.
type instance struct {
	handle  windows.Handle
	writing windows.Overlapped
}

func (i *instance) Write(b []byte) (int, error) {
	event, err := windows.CreateEvent(nil, 1, 0, nil)
	if err != nil {
		return 0, err
	}
	defer func() { _ = windows.CloseHandle(event) }()
	i.writing.HEvent = event
	var n uint32
	err = windows.WriteFile(i.handle, b, nil, &i.writing)
	if err != nil && !errors.Is(err, windows.ERROR_IO_PENDING) {
		return 0, err
	}
	if state, _ := windows.WaitForSingleObject(event, uint32(writeBound.Milliseconds())); state != windows.WAIT_OBJECT_0 {
		_ = windows.CancelIoEx(i.handle, &i.writing)
	}
	err = windows.GetOverlappedResult(i.handle, &i.writing, &n, true)
	return int(n), err
}

// Close closes the instance. The client can still read what was written.
func (i *instance) Close() error { return windows.CloseHandle(i.handle) }
