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
	// stacksBound limits how long the end waits for the stacks of what still runs.
	stacksBound = 350 * time.Millisecond

	maxStacks     = 512 << 10 // bytes of all stacks
	maxChunk      = 12 << 10  // bytes of stacks in one record: several log readers accept only 16 KiB
	maxEach       = 256       // goroutines that can be listed one by one
	maxEachMemory = 16 << 20  // bytes of stack memory that those may use
	maxGrouped    = 200_000   // goroutines that can be listed in groups
)

// lookAtStacks begins to collect the stacks of all goroutines, and returns a channel that
// delivers them as a text.
func lookAtStacks() <-chan string {
	text := make(chan string, 1)
	go func() { text <- allStacks(runtime.NumGoroutine()) }()
	return text
}

// manyGoroutines reports whether there are so many goroutines that their stacks should be
// collected before they are needed.
func manyGoroutines() bool { return runtime.NumGoroutine() > maxEach }

// stacks receives text and splits it into parts that fit into one record each. It waits for
// the text for at most bound.
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

// allStacks returns the stacks of n goroutines. If they are few and use little memory, it
// lists each with all frames, for which the runtime stops all goroutines. Otherwise it lists
// only the innermost frames, which stops them briefly, and groups equal stacks.
func allStacks(n int) string {
	switch {
	case n > maxGrouped:
		return fmt.Sprintf("there are %d goroutines, too many to look at", n)
	case n > maxEach || stackMemory() > maxEachMemory:
		return groupedStacks(n)
	}
	return eachStack(n)
}

// eachStack lists the stacks of n goroutines one by one, up to maxStacks bytes.
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

// groupedStacks lists the stacks of about n goroutines, the most frequent stack first, as
// the goroutine profile of runtime/pprof does.
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

// writeFrames prints a stack in the format of the runtime.
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

// chunks cuts text into parts of at most size bytes, between stacks if possible.
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
