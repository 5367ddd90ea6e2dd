package daemon

import (
	"errors"

	"golang.org/x/sys/windows"
)

// addressInUse reports whether err means that the address is in use. If another process
// uses it exclusively, as the Windows web server does with port 80, the error is WSAEACCES.
// The same error is returned for ports that Windows reserves for virtual machines.
// https://learn.microsoft.com/windows/win32/winsock/using-so-reuseaddr-and-so-exclusiveaddruse
func addressInUse(err error) bool {
	return errors.Is(err, windows.WSAEADDRINUSE) || errors.Is(err, windows.WSAEACCES)
}
