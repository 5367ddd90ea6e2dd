package logtext

import (
	"os"

	"golang.org/x/sys/windows"
)

// duplicate returns a new handle for the target of f. The program may close f, and the next
// file it opens may get the same handle.
func duplicate(f *os.File) (*os.File, error) {
	h := windows.Handle(f.Fd())
	if h == windows.InvalidHandle { // which is also the handle of this process
		return nil, os.ErrClosed
	}
	process := windows.CurrentProcess()
	var own windows.Handle
	if err := windows.DuplicateHandle(process, h, process, &own, 0, false, windows.DUPLICATE_SAME_ACCESS); err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(own), f.Name()), nil
}
