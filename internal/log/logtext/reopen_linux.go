package logtext

import (
	"strconv"

	"golang.org/x/sys/unix"
)

const room = 4096 // PIPE_BUF

// reopen opens the pipe or terminal that fd refers to again. Setting O_NONBLOCK on fd
// itself would affect everyone who shares it.
func reopen(fd int) (int, error) {
	return unix.Open("/proc/self/fd/"+strconv.Itoa(fd), unix.O_WRONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_APPEND, 0)
}
