package logtext

import (
	"errors"
	"os"
	"sync"
	"time"
)

// patience is how long a log call waits for room.
const patience = 100 * time.Millisecond

// sink writes records whole, one at a time, and counts those that it could not.
type sink struct {
	notice  func(lost uint64) // tries to write a record about it
	restore func()            // gives the console back as it was; nil if it is as it was
	put     func([]byte)      // write, as a value that is made once

	mu     sync.Mutex
	out    *output
	lost   uint64
	told   uint64 // of those, how many a record was about
	hung   bool   // somebody has waited in vain, and nothing was written since
	torn   bool   // a record was written in part
	failed bool   // the last try was in vain
}

func (s *sink) write(b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lost > s.told && !s.tell() {
		s.lost++
		return
	}
	if s.try(b); s.failed {
		s.lost++
	}
}

// tell has a record written about those that are lost.
func (s *sink) tell() bool {
	n := s.lost
	if s.notice(n - s.told); s.failed {
		return false
	}
	s.told = n
	return true
}

var newline = []byte{'\n'}

func (s *sink) try(b []byte) {
	s.failed = true
	if s.torn {
		if n, _ := s.send(newline); n == 0 {
			return
		}
		s.torn = false
	}
	n, err := s.send(b)
	s.failed = err != nil
	s.torn = err != nil && n > 0
}

func (s *sink) send(b []byte) (int, error) {
	wait := patience
	if s.hung {
		wait = 0
	}
	n, err := s.out.write(b, wait)
	s.hung = errors.Is(err, os.ErrDeadlineExceeded)
	return n, err
}

func (s *sink) total() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost
}

func (s *sink) sync(wait time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.sync(wait)
}

func (s *sink) close(wait time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lost > s.told {
		s.hung = true // it has waited often enough
		s.tell()
	}
	err := s.out.close(wait)
	if s.restore != nil {
		s.restore()
		s.restore = nil
	}
	return err
}
