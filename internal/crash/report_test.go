package crash

import (
	"testing"
)

func TestReport_ControlsNoTerminal(t *testing.T) {
	forged := magic + "\nprogram: a\x1b]0;x\a\nversion: \x9b31m\u202e\u2028v\n\npanic: \x1b[2Jboo\tm\r\u0085\u200b\n"
	run, text := parse([]byte(forged))
	r := Report{Run: run, Text: string(text)}
	const odd = "\uFFFD"
	if r.Program != "a"+odd+"]0;x"+odd || r.Version != odd+"31m"+odd+odd+"v" || r.Summary() != "panic: "+odd+"[2Jboo m "+odd+odd {
		t.Errorf("got %q, %q, %q", r.Program, r.Version, r.Summary())
	}
}

func TestSummary(t *testing.T) {
	for text, want := range map[string]string{
		"panic: boom\n\ngoroutine 1": "panic: boom",
		"\ngoroutine 1 [sync.Mutex.Lock]:\nmain.main()\n\ngoroutine 2 [select]:\nx()\n":    "fatal error: all goroutines are asleep: deadlock",
		"\ngoroutine 1 [running]:\nmain.main()\n\ngoroutine 2 [x]:\nruntime.newstack()\n":  "fatal error: see the text",
		"\nruntime stack:\nruntime.throw({0x1, 0x2})\n\n":                                  "fatal error: see the text",
		"Exception 0xc0000005 0x0 0x0 0x0\nPC=0x1\n":                                       "Exception 0xc0000005 0x0 0x0 0x0",
		"SIGSEGV: segmentation violation\nPC=0x0 m=0 sigcode=1 addr=0x0\n\ngoroutine 0 [":  "SIGSEGV: segmentation violation",
		"panic: first\n\tpanic: second\n\ngoroutine 1 [running]:\n":                        "panic: first",
		"\ngoroutine 1 [running]:\ninternal/runtime/maps.fatal({0x1?})\n\t/x\nmain.main()": "fatal error: concurrent use of a map",
	} {
		if got := summary(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
