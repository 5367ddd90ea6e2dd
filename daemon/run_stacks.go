package daemon

import (
	"bytes"
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"
)

const (
	// stacksBound is how long the end waits for the stacks of what still runs.
	stacksBound = 350 * time.Millisecond

	maxStacks     = 512 << 10 // bytes of them
	maxChunk      = 12 << 10  // bytes of them in one record: several readers of logs take 16 KiB
	maxEach       = 256       // goroutines that are listed one by one
	maxEachMemory = 16 << 20  // bytes of stack that those may have
	maxGrouped    = 200_000   // goroutines that are looked at at all
)

// lookAtStacks begins to find out what the goroutines of the process are doing.
func lookAtStacks() <-chan string {
	text := make(chan string, 1)
	go func() { text <- allStacks(runtime.NumGoroutine()) }()
	return text
}

// manyGoroutines reports whether their stacks take so long that it is better to begin
// before they are needed.
func manyGoroutines() bool { return runtime.NumGoroutine() > maxEach }

// stacks returns text in parts that are fit for a record each. It does not wait for it
// longer than bound.
func stacks(text <-chan string, bound time.Duration) []string {
	timer := time.NewTimer(bound)
	defer timer.Stop()
	select {
	case s := <-text:
		return chunks(s, maxChunk)
	case <-timer.C:
		return []string{fmt.Sprintf("the stacks of %d goroutines take longer than %s", runtime.NumGoroutine(), bound)}
	}
}

// allStacks is the stacks of n goroutines. The runtime stops all of them while it prints
// them one by one, the deepest frames of each included: it does that only where they are
// few and not deep. Otherwise it is asked for the innermost frames, without stopping them
// for long, and those that are alike are one.
func allStacks(n int) string {
	switch {
	case n > maxGrouped:
		return fmt.Sprintf("there are %d goroutines, too many to look at", n)
	case n > maxEach || stackMemory() > maxEachMemory:
		return groupedStacks(n)
	}
	return eachStack(n)
}

// eachStack lists the stacks of n goroutines one by one, as far as there is room.
func eachStack(n int) string {
	buf := make([]byte, maxStacks)
	k := runtime.Stack(buf, true)
	if k < len(buf) {
		return string(buf[:k])
	}
	kept := buf[:max(bytes.LastIndex(buf, []byte("\n\n")), 0)]
	shown := bytes.Count(kept, []byte("\n\n")) + 1
	return fmt.Sprintf("%s\n\nleft out: %d of %d goroutines\n", kept, max(n-shown, 0), n)
}

func stackMemory() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.StackInuse
}

// groupedStacks lists the stacks of about n goroutines, those that most of them have
// first, as the goroutine profile of runtime/pprof does.
func groupedStacks(n int) string {
	records := make([]runtime.StackRecord, n+n/8+64)
	n, ok := runtime.GoroutineProfile(records)
	if !ok {
		return fmt.Sprintf("there are %d goroutines, and more are started all the time", n)
	}
	counts := map[[32]uintptr]int{}
	for _, r := range records[:n] {
		counts[r.Stack0]++
	}
	type group struct {
		stack [32]uintptr
		count int
	}
	groups := make([]group, 0, len(counts))
	for stack, count := range counts {
		groups = append(groups, group{stack, count})
	}
	slices.SortFunc(groups, func(a, b group) int {
		return cmp.Or(cmp.Compare(b.count, a.count), slices.Compare(a.stack[:], b.stack[:]))
	})
	var text strings.Builder
	fmt.Fprintf(&text, "%d goroutines, those with the same stack together\n", n)
	left := n
	for i, g := range groups {
		if text.Len() > maxStacks {
			fmt.Fprintf(&text, "\nleft out: %d goroutines with %d other stacks\n", left, len(groups)-i)
			break
		}
		left -= g.count
		fmt.Fprintf(&text, "\n%d goroutine(s):\n", g.count)
		writeFrames(&text, g.stack[:])
	}
	return text.String()
}

// writeFrames prints a stack as the runtime does.
func writeFrames(text *strings.Builder, stack []uintptr) {
	if end := slices.Index(stack, 0); end >= 0 {
		stack = stack[:end]
	}
	frames := runtime.CallersFrames(stack)
	for {
		frame, more := frames.Next()
		if frame.Function != "" {
			fmt.Fprintf(text, "%s(...)\n\t%s:%d\n", frame.Function, frame.File, frame.Line)
		}
		if !more {
			return
		}
	}
}

// chunks cuts text into parts of at most size bytes, between stacks where it can.
func chunks(text string, size int) []string {
	var parts []string
	for len(text) > size {
		end := strings.LastIndex(text[:size], "\n\n")
		if end <= 0 {
			end = strings.LastIndex(text[:size], "\n")
		}
		if end <= 0 {
			end = size
		}
		parts = append(parts, text[:end])
		text = strings.TrimLeft(text[end:], "\n")
	}
	return append(parts, text)
}
