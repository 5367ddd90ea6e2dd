package daemon

import (
	"errors"

	"golang.org/x/sys/windows"
)

// addressInUse reports whether err means that the address is in use. WSAEACCES means that
// another process has it exclusively, as the web server of Windows has port 80. Windows
// refuses the ports that it keeps for its virtual machines in the same way.
// https://learn.microsoft.com/windows/win32/winsock/using-so-reuseaddr-and-so-exclusiveaddruse
func addressInUse(err error) bool {
	return errors.Is(err, windows.WSAEADDRINUSE) || errors.Is(err, windows.WSAEACCES)
}
