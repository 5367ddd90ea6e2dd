// Package health lets another process ask a run about its health. The run listens at a place
// that only its own user and root can use, and that leaves nothing behind when the process
// dies. The command status asks.
//
//	status                              the run
//	  │  connects; the kernel tells each   │
//	  │  side who the other one is         │ Check, if the program has one,
//	  │ ◄──────────── one JSON object ──── │ for at most 5 s
//
// Connecting is the question: the client sends nothing, so there is nothing that the run could
// misread. The run answers one client after the other, on one goroutine.
package health

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/internal/lifecycle"
)

// Answer describes the state and the health of a run.
type Answer struct {
	PID       int       `json:"-"` // the process of the run, according to the kernel
	State     string    `json:"state"`
	Since     time.Time `json:"since"`               // when the run entered this state
	Reason    string    `json:"reason,omitempty"`    // in stopping: why it stops
	Unhealthy string    `json:"unhealthy,omitempty"` // the error of Check; empty if the program is healthy
}

const (
	// checkBound limits the time of Check while a client waits for the answer. askBound
	// limits how long Ask waits: less than the 30 s that Docker gives a health check.
	checkBound = 5 * time.Second
	askBound   = 10 * time.Second

	maxText   = 1 << 10 // bytes of a text in an answer
	maxAnswer = 4 << 10 // bytes of an answer; both texts may need escapes
)

// encode returns a as one line of JSON that is no longer than maxAnswer.
func (a Answer) encode() []byte {
	for limit := maxText; ; limit /= 2 {
		a.Reason, a.Unhealthy = truncate(a.Reason, limit), truncate(a.Unhealthy, limit)
		text, err := json.Marshal(a)
		if err != nil {
			panic(err) // cannot happen for this type
		}
		if len(text) < maxAnswer {
			return append(text, '\n')
		}
	}
}

// truncate returns s, cut to at most limit bytes of valid UTF-8.
func truncate(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "")
}

// decode reads an answer to its end.
func decode(r io.Reader) (Answer, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxAnswer+1))
	switch {
	case err != nil:
		return Answer{}, err
	case len(text) == 0:
		return Answer{}, io.ErrUnexpectedEOF
	case len(text) > maxAnswer:
		return Answer{}, fmt.Errorf("the answer is longer than %d bytes", maxAnswer)
	}
	var a Answer
	if err := json.Unmarshal(text, &a); err != nil {
		return Answer{}, fmt.Errorf("the answer is not valid: %w", err)
	}
	for s := lifecycle.Starting; s <= lifecycle.Stopped; s++ {
		if a.State == s.String() {
			return a, nil
		}
	}
	return Answer{}, fmt.Errorf("the answer has an unknown state: %q", a.State)
}
