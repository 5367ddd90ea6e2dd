package daemon

import (
	"errors"

	"golang.org/x/sys/windows"
)

// addressInUse reports whether listening failed for somebody else does already: for
// himself alone, as the web server of Windows does at port 80 (WSAEACCES), or not. The
// ports that Windows keeps for its virtual machines are refused in the same way.
// https://learn.microsoft.com/windows/win32/winsock/using-so-reuseaddr-and-so-exclusiveaddruse
func addressInUse(err error) bool {
	return errors.Is(err, windows.WSAEADDRINUSE) || errors.Is(err, windows.WSAEACCES)
}
