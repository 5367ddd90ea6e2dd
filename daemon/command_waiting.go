package daemon

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// quiet is the time before a command prints what it waits for. Most are done by then.
const quiet = 500 * time.Millisecond

// waiting runs f, and prints what it waits for if that takes longer than quiet. On a terminal
// it shows a spinner and clears it at the end; elsewhere it prints one line for each thing
// that it waits for.
func (c *commandLine) waiting(h *Handle, what string, f func() error) error {
	w := &waiter{out: c.err, what: what, begun: time.Now()}
	if file, ok := c.err.(*os.File); ok {
		w.turns = isTerminal(file) && os.Getenv("TERM") != "dumb"
	}
	h.Progress = w.update
	var happened []string
	h.onDependents = func(what string) { happened = append(happened, what) }
	end := make(chan struct{})
	var shown sync.WaitGroup
	shown.Go(func() { w.show(end) })
	err := f()
	close(end)
	shown.Wait()
	h.Progress, h.onDependents = nil, nil
	for _, what := range happened {
		_, _ = fmt.Fprintf(c.out, "%s: %s\n", h.Name(), what)
	}
	c.notes()
	return err
}

// waiter prints what a command waits for.
type waiter struct {
	out   io.Writer
	turns bool
	begun time.Time

	mu      sync.Mutex
	what    string
	printed string
	turn    int
	drawn   bool
}

// update sets what the command waits for.
func (w *waiter) update(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.what = what
}

// show draws until end is closed.
func (w *waiter) show(end <-chan struct{}) {
	period := quiet
	if w.turns {
		period = 100 * time.Millisecond
	}
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			w.draw()
		case <-end:
			w.clear()
			return
		}
	}
}

func (w *waiter) draw() {
	w.mu.Lock()
	defer w.mu.Unlock()
	waited := time.Since(w.begun)
	switch {
	case waited < quiet:
	case w.turns:
		_, _ = fmt.Fprintf(w.out, "\r\x1b[K%c %s (%d s)", `|/-\`[w.turn%4], w.what, int(waited.Seconds()))
		w.turn++
		w.drawn = true
	case w.printed != w.what:
		_, _ = fmt.Fprintf(w.out, "%s…\n", w.what)
		w.printed = w.what
	}
}

func (w *waiter) clear() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.drawn {
		_, _ = fmt.Fprint(w.out, "\r\x1b[K")
	}
}
