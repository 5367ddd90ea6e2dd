// Package diff shows what changes between two texts, line by line.
package diff

import (
	"fmt"
	"strings"
)

// context is how many lines that stay are shown around those that change.
const context = 3

// edit is a line with what happens to it: ' ', '-' or '+'.
type edit struct {
	kind byte
	line string
}

// Unified is the unified diff from one text to another, without the names of files;
// "" if they are the same.
func Unified(from, to string) string {
	edits := compare(lines(from), lines(to))
	var b strings.Builder
	for begin := 0; begin < len(edits); {
		first := begin
		for first < len(edits) && edits[first].kind == ' ' {
			first++
		}
		if first == len(edits) {
			break
		}
		last := first // the last change of the hunk
		for i := first; i < len(edits) && i <= last+2*context+1; i++ {
			if edits[i].kind != ' ' {
				last = i
			}
		}
		from, to := max(first-context, begin), min(last+context+1, len(edits))
		hunk(&b, edits, from, to)
		begin = to
	}
	return b.String()
}

func hunk(b *strings.Builder, edits []edit, from, to int) {
	count := func(part []edit, kind byte) (n int) {
		for _, e := range part {
			if e.kind == ' ' || e.kind == kind {
				n++
			}
		}
		return n
	}
	at := func(kind byte) string {
		before, n := count(edits[:from], kind), count(edits[from:to], kind)
		if n > 0 {
			before++ // lines count from 1; where there are none, it is the line before
		}
		return fmt.Sprintf("%d,%d", before, n)
	}
	fmt.Fprintf(b, "@@ -%s +%s @@\n", at('-'), at('+'))
	for _, e := range edits[from:to] {
		b.WriteByte(e.kind)
		b.WriteString(e.line)
		b.WriteByte('\n')
	}
}

// noNewline stands below a last line that is not ended, which makes it another one.
const noNewline = `\ No newline at end of file`

func lines(text string) []string {
	if text == "" {
		return nil
	}
	all := strings.Split(text, "\n")
	last := len(all) - 1
	if all[last] == "" {
		return all[:last]
	}
	all[last] += "\n" + noNewline
	return all
}

// compare keeps a longest common subsequence. The texts are small.
func compare(from, to []string) []edit {
	kept := make([][]int, len(from)+1) // of from[i:] and to[j:]
	for i := range kept {
		kept[i] = make([]int, len(to)+1)
	}
	for i := len(from) - 1; i >= 0; i-- {
		for j := len(to) - 1; j >= 0; j-- {
			if from[i] == to[j] {
				kept[i][j] = kept[i+1][j+1] + 1
			} else {
				kept[i][j] = max(kept[i+1][j], kept[i][j+1])
			}
		}
	}
	var edits []edit
	i, j := 0, 0
	for i < len(from) || j < len(to) {
		switch {
		case i < len(from) && j < len(to) && from[i] == to[j]:
			edits = append(edits, edit{' ', from[i]})
			i, j = i+1, j+1
		case j == len(to) || i < len(from) && kept[i+1][j] >= kept[i][j+1]:
			edits = append(edits, edit{'-', from[i]})
			i++
		default:
			edits = append(edits, edit{'+', to[j]})
			j++
		}
	}
	return edits
}
