package crash

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

// create makes the file. While it is open here, others can read it but not write, rename or
// remove it: that is the lock. The folder passes on the access rights.
func create(path string) (*os.File, error) {
	return openFile(path, windows.FILE_APPEND_DATA|windows.FILE_READ_ATTRIBUTES|windows.SYNCHRONIZE,
		windows.FILE_SHARE_READ, windows.CREATE_NEW)
}

// claim opens the file of a run that has ended. Only one process succeeds.
func claim(path string) (*os.File, error) {
	return openFile(path, windows.GENERIC_READ|windows.GENERIC_WRITE,
		windows.FILE_SHARE_READ|windows.FILE_SHARE_DELETE, windows.OPEN_EXISTING)
}

// openRegular opens a file for reading while another process may have it open.
func openRegular(path string, _ int) (*os.File, error) {
	return openFile(path, windows.GENERIC_READ,
		windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE, windows.OPEN_EXISTING)
}

func openFile(path string, access, share, disposition uint32) (*os.File, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	h, err := windows.CreateFile(name, access, share, nil, disposition,
		windows.FILE_ATTRIBUTE_NORMAL|windows.FILE_FLAG_OPEN_REPARSE_POINT, 0)
	switch {
	case errors.Is(err, windows.ERROR_SHARING_VIOLATION), errors.Is(err, windows.ERROR_DELETE_PENDING):
		return nil, errBusy
	case err != nil:
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	f := os.NewFile(uintptr(h), path)
	if _, err := statRegular(f, path); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// checkPrivate accepts every folder: the one above it was made for this user only, or the
// manager is responsible for it.
func checkPrivate(string, fs.FileInfo, bool) error { return nil }
