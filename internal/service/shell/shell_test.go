//go:build unix

package shell

import (
	"os/exec"
	"testing"
)

func FuzzTheShellGivesBackWhatWasQuoted(f *testing.F) {
	for _, s := range []string{"", "a", "it's", "$(id)", "`id`", `\`, `"`, "a\nb", "~", "#", "-n", "%s", "ü", "\x01", "a=b", "*", "!"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, b := range []byte(s) {
			if b == 0 {
				return
			}
		}
		out, err := exec.Command("/bin/sh", "-c", "printf '%s|' "+Join(s, s)).Output()
		if err != nil || string(out) != s+"|"+s+"|" {
			t.Errorf("%q came back as %q, %v", s, out, err)
		}
	})
}
