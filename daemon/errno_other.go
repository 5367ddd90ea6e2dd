//go:build !windows

package daemon

import "syscall"

// addressInUse is what listening says where somebody else does already.
const addressInUse = syscall.EADDRINUSE
