package daemon

import "sync"

// tasks counts the goroutines that a run owns.
type tasks struct {
	mu     sync.Mutex
	n      int
	idle   func() // called when none is left
	sealed bool   // idle was called; no more goroutines are admitted
}

// add admits one more goroutine, and reports whether it did. Unlike the Add method of a
// sync.WaitGroup, it may be called while others wait in join: a goroutine may start another.
func (t *tasks) add() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sealed {
		return false
	}
	t.n++
	return true
}

// done removes a goroutine that has ended.
func (t *tasks) done() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n--
	t.callIfIdle()
}

// join calls idle once, as soon as no goroutine is left.
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

// running returns the number of goroutines.
func (t *tasks) running() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.n
}
