package daemon

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files")

var stamps = regexp.MustCompile(`\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?`)

// transcript is what an operator types and reads.
type transcript struct{ strings.Builder }

// slow are lines that only a machine that is slow just now lets a command print.
var slow = regexp.MustCompile(`(?m)^[^ ].*…\n`) // and no line of a help, which is indented

// call adds a call of s, with TIME for the times in what it prints.
func (tr *transcript) call(s *shell, line string) {
	code, out, err := s.call(line)
	said := slow.ReplaceAllString(out+err, "")
	tr.WriteString("$ web " + line + "\n" + strings.ReplaceAll(stamps.ReplaceAllString(said, "TIME"), programName(), "web"))
	if code != 0 {
		tr.WriteString("exit code " + strconv.Itoa(code) + "\n")
	}
	tr.WriteString("\n")
}

// golden compares tr with a file that somebody has read.
func (tr *transcript) golden(t *testing.T, name string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(tr.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if tr.String() != string(want) {
		t.Errorf("%s is not what is said now; go test -update writes it:\n%s", file, tr)
	}
}
