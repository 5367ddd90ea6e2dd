package winsvc

import "strings"

// compose returns a command line that CommandLineToArgvW, and so every program, splits into exe
// and args again. It always quotes exe, because otherwise C:\Program.exe could be started instead
// of C:\Program Files\web.exe. A path cannot contain a quote.
//
// The rules: a backslash stands for itself, except before a quote. There two stand for one, and
// an odd one makes the quote an ordinary character.
// https://learn.microsoft.com/windows/win32/api/shellapi/nf-shellapi-commandlinetoargvw
//
// The manager stores command lines as REG_EXPAND_SZ: before it starts the service, it replaces
// %PATH% by the value of the variable. There is no escape for that. A quote after the first %
// helps: there is no variable "PATH, and the quote disappears when the line is split.
func compose(exe string, args []string) string {
	b := []byte(`"` + exe + `"`)
	for _, a := range args {
		b = append(b, ' ')
		b = quote(b, a)
	}
	return string(b)
}

// quote appends an argument, with quotes if it needs any.
func quote(b []byte, arg string) []byte {
	if arg != "" && !strings.ContainsAny(arg, " \t\n\v\"") && strings.Count(arg, "%") < 2 {
		return append(b, arg...)
	}
	quoted := true
	b = append(b, '"')
	backslashes := 0
	open := false // a % needs a quote after it
	for i := range len(arg) {
		c := arg[i]
		blank := strings.IndexByte(" \t\n\v", c) >= 0
		switch {
		case blank && !quoted, open && !blank && c != '"' && c != '%' && strings.IndexByte(arg[i:], '%') > 0:
			// Backslashes before a quote count twice.
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
		b = append(b, strings.Repeat(`\`, backslashes)...) // they are before the closing quote
		b = append(b, '"')
	}
	return b
}

// executable returns the program of a command line that any tool may have written. If the
// program is not quoted and has spaces, it ends with the first .exe at the end of a word.
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

// base returns the last part of a Windows path.
func base(path string) string { return path[strings.LastIndexAny(path, `\/:`)+1:] }
