// Package health lets another process ask a run how it is doing. The run listens where
// only its own user and root are heard, and where nothing is left when the process dies;
// the command status asks.
//
//	status                              the run
//	  │  connects; the kernel says who     │
//	  │  each of the two is                │ Check, if the program has one,
//	  │ ◄──────────── one JSON object ──── │ for at most 5 s
//
// Whoever connects has asked: nothing is sent to the run, so there is nothing that it
// could misread. It answers one after the other, on one goroutine.
package health

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/internal/lifecycle"
)

// Answer is what a run says of itself.
type Answer struct {
	PID       int       `json:"-"` // of the run, from the kernel
	State     string    `json:"state"`
	Since     time.Time `json:"since"`               // when it came into this state
	Reason    string    `json:"reason,omitempty"`    // in stopping: why
	Unhealthy string    `json:"unhealthy,omitempty"` // what Check says; empty if the program is well
}

const (
	// checkBound is how long Check has while somebody waits for the answer, and
	// askBound how long Ask waits: less than the 30 s that Docker gives a health check.
	checkBound = 5 * time.Second
	askBound   = 10 * time.Second

	maxText   = 1 << 10 // bytes of a text in an answer
	maxAnswer = 4 << 10 // bytes of an answer; each of the two texts may have escapes
)

// encode returns a as one line of JSON that is no longer than maxAnswer.
func (a Answer) encode() []byte {
	for limit := maxText; ; limit /= 2 {
		a.Reason, a.Unhealthy = truncate(a.Reason, limit), truncate(a.Unhealthy, limit)
		text, err := json.Marshal(a)
		if err != nil {
			panic(err) // nothing in it can fail
		}
		if len(text) < maxAnswer {
			return append(text, '\n')
		}
	}
}

// truncate returns the beginning of s.
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
		return Answer{}, fmt.Errorf("its answer is longer than %d bytes", maxAnswer)
	}
	var a Answer
	if err := json.Unmarshal(text, &a); err != nil {
		return Answer{}, fmt.Errorf("its answer is not what was expected: %w", err)
	}
	for s := lifecycle.Starting; s <= lifecycle.Stopped; s++ {
		if a.State == s.String() {
			return a, nil
		}
	}
	return Answer{}, fmt.Errorf("its answer has no state that is known: %q", a.State)
}
