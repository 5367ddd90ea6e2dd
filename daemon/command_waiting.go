package daemon

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// quiet is how long a command says nothing: most are done by then.
const quiet = 500 * time.Millisecond

// waiting runs f, and says what it waits for when that takes a while: on a terminal in
// a line that turns and goes away, elsewhere in a line for each thing that it waits for.
func (c *commandLine) waiting(h *Handle, what string, f func() error) error {
	w := &waiter{out: c.err, what: what, begun: time.Now()}
	if file, ok := c.err.(*os.File); ok {
		w.turns = isTerminal(file) && os.Getenv("TERM") != "dumb"
	}
	h.Progress = w.now
	var told []string
	h.told = func(what string) { told = append(told, what) }
	end := make(chan struct{})
	var shown sync.WaitGroup
	shown.Go(func() { w.show(end) })
	err := f()
	close(end)
	shown.Wait()
	h.Progress, h.told = nil, nil
	for _, what := range told {
		_, _ = fmt.Fprintf(c.out, "%s: %s\n", h.Name(), what)
	}
	c.notes()
	return err
}

// waiter says what is waited for.
type waiter struct {
	out   io.Writer
	turns bool
	begun time.Time

	mu    sync.Mutex
	what  string
	said  string
	turn  int
	drawn bool
}

// now is called when something else is waited for.
func (w *waiter) now(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.what = what
}

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
	case w.said != w.what:
		_, _ = fmt.Fprintf(w.out, "%s…\n", w.what)
		w.said = w.what
	}
}

func (w *waiter) clear() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.drawn {
		_, _ = fmt.Fprint(w.out, "\r\x1b[K")
	}
}
