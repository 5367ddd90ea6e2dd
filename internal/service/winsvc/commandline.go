package winsvc

import "strings"

// compose is a command line that CommandLineToArgvW, and so every program, takes apart
// into exe and args again. exe is always quoted, which keeps C:\Program.exe from being
// started for C:\Program Files\web.exe; it must not contain a quote, which no path can.
//
// The rules: backslashes are themselves but before a quote, where each stands for half
// of one, and the odd one makes the quote a character.
// https://learn.microsoft.com/windows/win32/api/shellapi/nf-shellapi-commandlinetoargvw
//
// The manager keeps command lines as REG_EXPAND_SZ: before it starts the service, it
// replaces %PATH% by the variable. Nothing escapes that, but a quote after the first %
// makes it "PATH, which is no variable, and vanishes when the line is taken apart.
func compose(exe string, args []string) string {
	b := []byte(`"` + exe + `"`)
	for _, a := range args {
		b = append(b, ' ')
		b = quote(b, a)
	}
	return string(b)
}

func quote(b []byte, arg string) []byte {
	if arg != "" && !strings.ContainsAny(arg, " \t\n\v\"") && strings.Count(arg, "%") < 2 {
		return append(b, arg...)
	}
	quoted := true
	b = append(b, '"')
	backslashes := 0
	open := false // a % still needs its quote
	for i := range len(arg) {
		c := arg[i]
		blank := strings.IndexByte(" \t\n\v", c) >= 0
		switch {
		case blank && !quoted, open && !blank && c != '"' && c != '%' && strings.IndexByte(arg[i:], '%') > 0:
			// Those before a quote count twice.
			b = append(b, strings.Repeat(`\`, backslashes)...)
			b = append(b, '"')
			quoted, open = !quoted, false
		}
		if c == '"' {
			b = append(b, strings.Repeat(`\`, backslashes+1)...)
		}
		backslashes++
		if c != '\\' {
			backslashes = 0
		}
		open = open || c == '%'
		b = append(b, c)
	}
	if quoted {
		b = append(b, strings.Repeat(`\`, backslashes)...) // before the quote that ends it
		b = append(b, '"')
	}
	return b
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
