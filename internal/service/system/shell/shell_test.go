//go:build unix

package shell

import (
	"os/exec"
	"slices"
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

func TestWordsAreThoseThatWereJoined(t *testing.T) {
	for _, words := range [][]string{{"/bin/web"}, {"/opt/my web/it's", "", "a  b", `"$HOME" \\ *`, "-x"}, {"'", "''", `\'`}, {"ä", "%"}} {
		if got := Words(Join(words...) + "\nmore"); !slices.Equal(got, words) {
			t.Errorf("%q has become %q", words, got)
		}
	}
	for text, want := range map[string][]string{"": nil, "'open": nil, `a \`: {"a"}, "a $b": {"a"}, "a;b": nil, "a && b": {"a"}} {
		if got := Words(text); !slices.Equal(got, want) {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
	if got := After("x=1\ny='a b' c\n", "\ny="); !slices.Equal(got, []string{"a b", "c"}) {
		t.Errorf("got %q", got)
	}
}
