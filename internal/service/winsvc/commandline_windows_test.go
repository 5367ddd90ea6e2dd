package winsvc

import (
	"slices"
	"testing"

	"golang.org/x/sys/windows"
)

func TestCompose_WindowsSplitsItAsWeDo(t *testing.T) {
	for _, a := range awkward {
		for _, b := range awkward {
			line := compose(`C:\Program Files\w.exe`, []string{a, b})
			got, err := windows.DecomposeCommandLine(line)
			if err != nil || !slices.Equal(got, decompose(line)) || !slices.Equal(got[1:], []string{a, b}) {
				t.Errorf("%s is %q, %v", line, got, err)
			}
		}
	}
}

func TestBlock_IsReadByUnblock(t *testing.T) {
	for _, list := range [][]string{nil, {"a"}, {"a", "ü 服务", "c"}, {"𝄞", "b"}} {
		p, err := block(list)
		if err != nil {
			t.Fatal(err)
		}
		if got := unblock(p); !slices.Equal(got, list) {
			t.Errorf("%q is %q", list, got)
		}
	}
}
