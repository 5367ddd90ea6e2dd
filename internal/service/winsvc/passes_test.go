package winsvc

import (
	"slices"
	"testing"
)

func TestArguments_ReadsWhatComposeWrote(t *testing.T) {
	words := []string{"", "a", "a b", `"`, `\`, `\\`, `a\`, `a \`, `\"`, `a"b`, `C:\Program Files\x\`, "100%", "%PATH%", "%a b%", "%%", "\t", "ä", "-x=y z"}
	for _, a := range words {
		for _, b := range words {
			want := []string{a, b, "end"}
			line := compose(`C:\Program Files\web.exe`, want)
			if got, ok := arguments(line); !ok || !slices.Equal(got, want) {
				t.Errorf("%q, which is %s, becomes %q", want, line, got)
			}
		}
	}
	if got, ok := arguments(`"C:\web.exe"`); !ok || len(got) != 0 {
		t.Errorf("without arguments: %q, %t", got, ok)
	}
	for _, line := range []string{"", `C:\web.exe -x`, `"C:\web.exe`} {
		if got, ok := arguments(line); ok {
			t.Errorf("%s: %q", line, got)
		}
	}
}
