package daemon

import "golang.org/x/sys/windows"

// addressInUse is what listening says where somebody else does already.
const addressInUse = windows.WSAEADDRINUSE
