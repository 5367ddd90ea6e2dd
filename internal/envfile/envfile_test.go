package envfile

import (
	"slices"
	"strings"
	"testing"
)

// TestParse_MatchesSystemd lists awkward files with the result of systemd 257. The end-to-end
// test of package manage asks systemd itself.
func TestParse_MatchesSystemd(t *testing.T) {
	for _, c := range []struct {
		text string
		want []Var
	}{
		{"A=b", []Var{{"A", "b"}}},
		{"A=b\nB=c\n", []Var{{"A", "b"}, {"B", "c"}}},
		{"A=b\r\nB=c\r\n", []Var{{"A", "b"}, {"B", "c"}}},
		{"# A=b\n; A=c\n\n  \t\nB=", []Var{{"B", ""}}},
		{"# a comment \\\nA=b", []Var{{"A", "b"}}},
		{"  A =  b c  \n", []Var{{"A", "b c"}}},
		{"A='b  ' # c", []Var{{"A", "b  # c"}}},
		{"A=b # c", []Var{{"A", "b # c"}}},
		{`A="b c"`, []Var{{"A", "b c"}}},
		{`A="b" 'c' d`, []Var{{"A", "bcd"}}},
		{`A=b"c"'d'`, []Var{{"A", `b"c"'d'`}}},
		{`A='b\c$d"'`, []Var{{"A", `b\c$d"`}}},
		{"A=\"b\\\"c\\\\d\\$e\\`f\\g\"", []Var{{"A", "b\"c\\d$e`f\\g"}}},
		{`A=b\c\ \\\$`, []Var{{"A", `bc \$`}}},
		{"A=b \\\n c\nB=d", []Var{{"A", "b  c"}, {"B", "d"}}},
		{"A=\"b\\\nc\nd\"\nB=e", []Var{{"A", "bc\nd"}, {"B", "e"}}},
		{"A='b\nc'", []Var{{"A", "b\nc"}}},
		{"A=b\\", []Var{{"A", "b"}}},
		{"A=\"b", []Var{{"A", "b"}}},
		{"A=b=c", []Var{{"A", "b=c"}}},
		{"A=$HOME$(id)`id`", []Var{{"A", "$HOME$(id)`id`"}}},
		{"A=1\nA=2", []Var{{"A", "1"}, {"A", "2"}}},
		{"A=ü\tx", []Var{{"A", "ü\tx"}}},
		{"export A=b", []Var{{"A", "b"}}}, // written for a script
	} {
		t.Run(c.text, func(t *testing.T) {
			got, wrong := Parse(c.text)
			if !slices.Equal(got, c.want) || wrong != nil {
				t.Errorf("%q, %q, want %q", got, wrong, c.want)
			}
		})
	}
}

func TestParse_DescribesInvalidLines(t *testing.T) {
	const text = "A=1\nif [ -e /x ]; then\n  B=2\nfi\n. /etc/x\n1C=3\nD-E=4\n=5\nF='\n'\nG=\x01\nH=\xff\nI=9\nset -a"
	vars, wrong := Parse(text)
	if want := []Var{{"A", "1"}, {"B", "2"}, {"F", "\n"}, {"I", "9"}}; !slices.Equal(vars, want) {
		t.Errorf("the variables are %q, want %q", vars, want)
	}
	var want []string
	for _, line := range []string{"2", "4", "5", "6", "7", "8", "11", "12", "14"} {
		want = append(want, "line "+line+" is not NAME=value")
	}
	if !slices.Equal(wrong, want) {
		t.Errorf("said %q, want %q", wrong, want)
	}
}

func FuzzParseEnds(f *testing.F) {
	f.Add("A=b\\\n'\"")
	f.Fuzz(func(t *testing.T, text string) {
		vars, wrong := Parse(text)
		if n := len(vars) + len(wrong); n > strings.Count(text, "\n")+strings.Count(text, "\r")+1 {
			t.Errorf("%d lines of %q", n, text)
		}
	})
}
