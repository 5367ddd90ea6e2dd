package crash

import (
	"strings"
	"testing"
	"time"
)

func TestHeader_CannotBeForged(t *testing.T) {
	r := Run{Program: "web\npid: 1", Version: "1\n\npanic: forged\r\x1b[31m" + strings.Repeat("é", 1000), PID: 7, Started: time.Unix(1, 2), boot: "b"}
	head := r.header()
	if len(head) > maxHead {
		t.Errorf("it has %d bytes", len(head))
	}
	got, text := parse(append(head, "panic: x"...))
	if string(text) != "panic: x" || got.PID != 7 || got.boot != "b" || !got.Started.Equal(r.Started) || got.Program != "web pid: 1" {
		t.Errorf("got %+v and %q", got, text)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(append(Run{Program: "web", Version: "1"}.header(), "panic: x\n\ngoroutine 1 [running]:\n"...))
	f.Add([]byte("\ngoroutine 1"))
	f.Fuzz(func(t *testing.T, b []byte) {
		run, text := parse(b)
		if len(text) > len(b) {
			t.Error("there is more text than file")
		}
		if s := summary(string(text)); strings.ContainsAny(s, "\n") || len(s) > maxSummary+100 {
			t.Errorf("the summary is %q", s)
		}
		if strings.Contains(run.Program, "\n") {
			t.Errorf("got %+v", run)
		}
	})
}
