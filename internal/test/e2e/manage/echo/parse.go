package main

import (
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/go-glidepath/glidepath/internal/test/e2e/manage/talk"
)

// parse looks at the command line as the program's own parser does, and returns what is
// left for daemon.Main: nil if it is to look itself.
func parse(p talk.Parser) ([]string, error) {
	switch p {
	case talk.Flag:
		flag.Func("word", "a word, and another one", func(string) error { return nil })
		flag.Bool("quiet", false, "do not say much")
		flag.String("setup", "", "what this program is, see package talk")
		flag.Parse()
		return flag.Args(), nil
	case talk.Own:
		rest := os.Args[1:]
		for len(rest) > 0 && strings.Contains(rest[0], "=") {
			rest = rest[1:]
		}
		return rest, nil
	case talk.None: // it declares its flags, and reads them later
		flag.String("setup", "", "what this program is, see package talk")
		flag.String("listen", "", "where to listen")
		flag.Bool("v", false, "say more")
		return nil, nil
	}
	return nil, fmt.Errorf("there is no parser %q", p)
}
