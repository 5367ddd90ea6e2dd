package safe

import (
	"slices"
	"testing"
)

func TestEveryLinkOnTheWayIsFollowed(t *testing.T) {
	for _, test := range []struct {
		file  string
		links map[string]string
		want  []string // after the file
	}{
		{`C:\d\web.exe`, nil, nil},
		{`C:\d\web.exe`, map[string]string{`C:\d\web.exe`: `D:\e\web.exe`}, []string{`D:\e\web.exe`}},
		{`C:\d\web.exe`, map[string]string{`C:\d`: `D:\`}, []string{`D:\web.exe`}},
		{`C:\now\web.exe`, map[string]string{`C:\now`: `C:\between\now`, `C:\between\now`: `C:\real`, `C:\real\web.exe`: `\\host\share\web.exe`}, []string{
			`C:\between\now\web.exe`, `C:\real\web.exe`, `\\host\share\web.exe`,
		}},
	} {
		readlink := func(path string) (string, bool) {
			target, ok := test.links[path]
			return target, ok
		}
		if got := trail(test.file, readlink); got[0] != test.file || !slices.Equal(got[1:], test.want) {
			t.Errorf("%s: the way is %q, want %q", test.file, got, test.want)
		}
	}
	if got := trail(`C:\d`, func(path string) (string, bool) { return `C:\d`, path == `C:\d` }); len(got) != manyLinks+1 {
		t.Errorf("a circle has %d steps", len(got))
	}
}
