package winsvc

import "strings"

// compose is a command line that CommandLineToArgvW, and so every program, takes apart
// into exe and args again. exe is always quoted, which keeps C:\Program.exe from being
// started for C:\Program Files\web.exe; it must not contain a quote, which no path can.
//
// The rules: backslashes are themselves but before a quote, where each stands for half
// of one, and the odd one makes the quote a character.
// https://learn.microsoft.com/windows/win32/api/shellapi/nf-shellapi-commandlinetoargvw
func compose(exe string, args []string) string {
	var b strings.Builder
	b.WriteString(`"` + exe + `"`)
	for _, a := range args {
		b.WriteByte(' ')
		quote(&b, a)
	}
	return b.String()
}

func quote(b *strings.Builder, arg string) {
	if arg != "" && !strings.ContainsAny(arg, " \t\n\v\"") {
		b.WriteString(arg)
		return
	}
	b.WriteByte('"')
	backslashes := 0
	for i := range len(arg) {
		switch arg[i] {
		case '\\':
			backslashes++
			continue
		case '"':
			b.WriteString(strings.Repeat(`\`, 2*backslashes+1))
		default:
			b.WriteString(strings.Repeat(`\`, backslashes))
		}
		backslashes = 0
		b.WriteByte(arg[i])
	}
	b.WriteString(strings.Repeat(`\`, 2*backslashes)) // before the quote that ends it
	b.WriteByte('"')
}

// executable is the program of a command line that anybody has written: where it is
// not quoted and has spaces, up to the first .exe that ends a word.
func executable(line string) string {
	line = strings.TrimLeft(line, " \t")
	if rest, ok := strings.CutPrefix(line, `"`); ok {
		exe, _, _ := strings.Cut(rest, `"`)
		return exe
	}
	lower := strings.ToLower(line)
	for from := 0; ; {
		i := strings.Index(lower[from:], ".exe")
		if i < 0 {
			break
		}
		end := from + i + len(".exe")
		if end == len(line) || line[end] == ' ' || line[end] == '\t' {
			return line[:end]
		}
		from = end
	}
	exe, _, _ := strings.Cut(line, " ")
	return exe
}

// base is the last part of a path of Windows.
func base(path string) string { return path[strings.LastIndexAny(path, `\/:`)+1:] }
