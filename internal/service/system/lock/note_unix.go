//go:build unix

package lock

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
)

// note is what the holder of a lock says of itself.
type note struct {
	doing string
	pid   int
	since time.Time
}

func (n note) String() string {
	return fmt.Sprintf("%s %d %s\n", n.doing, n.pid, n.since.UTC().Format(time.RFC3339))
}

// held returns service.ErrBusy with what a note says. What is no note is not quoted.
func held(text string) error {
	words := strings.Fields(text)
	if len(words) != 3 {
		return service.ErrBusy
	}
	pid, err := strconv.Atoi(words[1])
	since, err2 := time.Parse(time.RFC3339, words[2])
	if err != nil || err2 != nil {
		return service.ErrBusy
	}
	return fmt.Errorf("%w: %s, process %d, since %s", service.ErrBusy, words[0], pid, since.Local().Format(time.DateTime))
}
