package logtext

import (
	"strconv"

	"golang.org/x/sys/unix"
)

const room = 4096 // PIPE_BUF

// reopen opens what fd leads to, a pipe or a terminal, once more: to set O_NONBLOCK on
// fd itself would set it for all who have it.
func reopen(fd int) (int, error) {
	return unix.Open("/proc/self/fd/"+strconv.Itoa(fd), unix.O_WRONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_APPEND, 0)
}
