package records

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestLines_AreComplete(t *testing.T) {
	const text = "one\n\ntwo\nthr"
	for size := 1; size < len(text); size++ {
		var got []string
		l := Lines{To: func(line []byte) error { got = append(got, string(line)); return nil }}
		for rest := text; rest != ""; rest = rest[min(size, len(rest)):] {
			if n, err := io.WriteString(&l, rest[:min(size, len(rest))]); err != nil || n != min(size, len(rest)) {
				t.Errorf("%d, %v", n, err)
			}
		}
		if all := strings.Join(got, "|"); all != "one\n|\n|two\n" {
			t.Errorf("%d bytes at once: %q", size, all)
		}
		if err := errors.Join(l.End(), l.End()); err != nil || strings.Join(got[3:], "|") != "thr\n" {
			t.Errorf("%d bytes at once: in the end %q, %v", size, got[3:], err)
		}
	}
}

func TestLines_BoundMemoryOfLineWithoutEnd(t *testing.T) {
	var got []int
	l := Lines{To: func(line []byte) error { got = append(got, len(line)); return nil }}
	part := bytes.Repeat([]byte("x"), 64<<10)
	for range 40 {
		if _, err := l.Write(part); err != nil {
			t.Fatal(err)
		}
	}
	if len(got) != 2 || got[0] != maxLine+1 || got[1] != maxLine+1 {
		t.Errorf("lines of %d bytes", got)
	}
}

func TestLines_EndWithError(t *testing.T) {
	full := errors.New("full")
	n := 0
	l := Lines{To: func([]byte) error { n++; return full }}
	if _, err := l.Write([]byte("one\ntwo\n")); !errors.Is(err, full) || n != 1 {
		t.Errorf("%v, asked %d times", err, n)
	}
}
