package winsvc

import (
	"slices"
	"strings"
	"testing"
)

// decompose splits a command line as CommandLineToArgvW does.
func decompose(line string) (args []string) {
	// In the first word, a backslash is always itself.
	if rest, ok := strings.CutPrefix(line, `"`); ok {
		first, rest, _ := strings.Cut(rest, `"`)
		args, line = append(args, first), rest
	} else {
		end := strings.IndexAny(line, " \t")
		if end < 0 {
			end = len(line)
		}
		args, line = append(args, line[:end]), line[end:]
	}
	for {
		line = strings.TrimLeft(line, " \t")
		if line == "" {
			return args
		}
		var word []byte
		quoted := false
		for line != "" && (quoted || line[0] != ' ' && line[0] != '\t') {
			n := len(line) - len(strings.TrimLeft(line, `\`))
			switch {
			case n > 0 && n < len(line) && line[n] == '"':
				word = append(word, strings.Repeat(`\`, n/2)...)
				line = line[n:]
				if n%2 == 1 {
					word, line = append(word, '"'), line[1:]
				}
			case n > 0:
				word, line = append(word, line[:n]...), line[n:]
			case line[0] == '"' && quoted && len(line) > 1 && line[1] == '"':
				word, line = append(word, '"'), line[2:]
			case line[0] == '"':
				quoted, line = !quoted, line[1:]
			default:
				word, line = append(word, line[0]), line[1:]
			}
		}
		args = append(args, string(word))
	}
}

var awkward = []string{
	"", " ", "a b", `"`, `a"b`, `\`, `\\`, `\"`, `\\"`, `a\`, `a b\`, `a b\\`, `C:\d\`, "%PATH%", "$HOME", "ü 服务", "\t", "'", "^", "&|<>", `""`, `"a" "b"`, "-x=\\\\\"", "%A B%", `a %PATH% b%PATH%`, `\%PATH%\`, `%\"PATH"%`, "%%", "%", "% %", `%"%`, `100% or 50%`, `%PATH%\ %A B%\\`,
}

// expand replaces variables as ExpandEnvironmentStrings does. It keeps what cannot be a variable.
func expand(line string) string {
	var b strings.Builder
	for {
		before, rest, _ := strings.Cut(line, "%")
		b.WriteString(before)
		name, after, ok := strings.Cut(rest, "%")
		switch {
		case len(before) == len(line):
			return b.String()
		case !ok:
			return b.String() + "%" + rest
		case name != "" && name != "\"" && strings.Trim(name, " \t") != "" && !strings.ContainsAny(name, "\""):
			b.WriteString("<" + name + ">") // every name is taken for a variable
			line = after
		default:
			b.WriteString("%" + name)
			line = "%" + after
		}
	}
}

func TestCompose_VariablesAreNotReplaced(t *testing.T) {
	for _, a := range awkward {
		line := compose(`C:\w.exe`, []string{a})
		if got := expand(line); got != line {
			t.Errorf("%s becomes %s", line, got)
		}
	}
	if got := expand("a %B C% %%D% %E"); got != "a <B C> %<D> %E" {
		t.Errorf("got %s", got)
	}
}

func TestCompose_AwkwardArgumentsSurvive(t *testing.T) {
	for _, args := range [][]string{nil, awkward, slices.Concat(awkward, awkward)} {
		line := compose(`C:\Program Files\wéb\w.exe`, args)
		if got := decompose(line); got[0] != `C:\Program Files\wéb\w.exe` || !slices.Equal(got[1:], args) {
			t.Errorf("%s is %q, want %q", line, got[1:], args)
		}
	}
}

func FuzzCompose_ArgumentsSurvive(f *testing.F) {
	for i, a := range awkward {
		f.Add(a, awkward[len(awkward)-1-i])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if strings.Contains(a+b, "\x00") {
			return
		}
		line := compose(`C:\w.exe`, []string{a, b})
		if got := decompose(line); !slices.Equal(got, []string{`C:\w.exe`, a, b}) {
			t.Errorf("%q, %q are %s, and that %q", a, b, line, got)
		}
		// A name that spans two arguments would begin with a space.
		if line := compose(`C:\w.exe`, []string{a}); expand(line) != line && !strings.ContainsAny(a, "\n\v") {
			t.Errorf("%q is %s, and becomes %s", a, line, expand(line))
		}
	})
}

func TestExecutable_OfAnyCommandLine(t *testing.T) {
	for line, want := range map[string]string{
		`"C:\Program Files\web\web.exe" -a "b"`:  `C:\Program Files\web\web.exe`,
		`C:\Program Files\web\web.exe -a b.exe`:  `C:\Program Files\web\web.exe`,
		`C:\Program Files\a.exe.d\WEB.EXE`:       `C:\Program Files\a.exe.d\WEB.EXE`,
		`C:\web -a`:                              `C:\web`,
		`  C:\web.exe`:                           `C:\web.exe`,
		`%SystemRoot%\system32\svchost.exe -k x`: `%SystemRoot%\system32\svchost.exe`,
		`"C:\unended`:                            `C:\unended`,
		``:                                       ``,
	} {
		t.Run(line, func(t *testing.T) {
			if got := executable(line); got != want {
				t.Errorf("%s runs %s, want %s", line, got, want)
			}
		})
	}
}
