package daemon

import (
	"bytes"
	"testing"
)

func TestTerminalSafe_EscapesControlCharacters(t *testing.T) {
	const log = "one\ttwo äöü 🦊\n\x1b]0;pwn\a\x1b[2J\r\n\u202e\u009b31m \xff\x80 end 🦊"
	const want = "one\ttwo äöü 🦊\n\\x1b]0;pwn\\x07\\x1b[2J\\r\n\\u202e\\u009b31m \\xff\\x80 end 🦊"
	for size := 1; size <= len(log); size++ {
		var out bytes.Buffer
		e := &escaper{w: &out}
		for at := 0; at < len(log); at += size {
			part := log[at:min(at+size, len(log))]
			if n, err := e.Write([]byte(part)); n != len(part) || err != nil {
				t.Fatal(n, err)
			}
		}
		if out.String() != want {
			t.Fatalf("in parts of %d bytes:\ngot  %q\nwant %q", size, &out, want)
		}
	}
	var file bytes.Buffer
	if terminalSafe(&file) != &file {
		t.Error("the output to a file is changed")
	}
}

func TestOneLine_EscapesControlCharacters(t *testing.T) {
	if got := oneLine("one\r\ntwo \x1b[2J\a"); got != `one; two \x1b[2J\x07` {
		t.Errorf("got %q", got)
	}
}
