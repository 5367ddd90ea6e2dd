package daemon

import "sync"

// tasks counts the goroutines that a run owns.
type tasks struct {
	mu     sync.Mutex
	n      int
	idle   func() // what to call when none is left
	sealed bool   // none was left, and none is let in any more
}

// add lets one more in. Unlike a sync.WaitGroup it may be called while the others
// are waited for, as a goroutine that starts another one does.
func (t *tasks) add() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sealed {
		return false
	}
	t.n++
	return true
}

func (t *tasks) done() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n--
	t.callIfIdle()
}

// join calls idle once, when none is left.
func (t *tasks) join(idle func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.idle = idle
	t.callIfIdle()
}

func (t *tasks) callIfIdle() {
	if t.n == 0 && t.idle != nil && !t.sealed {
		t.sealed = true
		t.idle()
	}
}

func (t *tasks) running() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.n
}
