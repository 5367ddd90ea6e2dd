//go:build unix

package diff

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func FuzzPatchUnderstandsIt(f *testing.F) {
	f.Add("abcdefghijklmnop", "abxdefghijklmnoq")
	f.Add("", "a")
	f.Add("a", "ab")
	f.Add("abcdefg", "abcdefgabcdefg")
	f.Add("abcd", "xbcd")
	f.Add("a", "")
	f.Add("aaaaabaaaaaaaaaaaacaaaaaaaad", "aaaaaaaaaaaaaaaaaaaaaa")
	f.Fuzz(func(t *testing.T, from, to string) {
		text := func(s string) string {
			var b strings.Builder
			for _, c := range []byte(s) {
				b.WriteString(string('a'+rune(c)%4) + "\n")
			}
			if len(s)%3 == 1 { // the last line is not ended
				return strings.TrimSuffix(b.String(), "\n")
			}
			return b.String()
		}
		from, to = text(from), text(to)
		d := Unified(from, to)
		if (d == "") != (from == to) {
			t.Fatalf("%q to %q: %q", from, to, d)
		}
		if d == "" {
			return
		}
		file := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(file, []byte(from), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("patch", "--fuzz=0", "--posix", "-s", file)
		cmd.Stdin = strings.NewReader("--- f\n+++ f\n" + d)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s\n%s", err, out, d)
		}
		got, _ := os.ReadFile(file)
		if string(got) != to {
			t.Errorf("%q to %q: %q\n%s", from, to, got, d)
		}
	})
}
