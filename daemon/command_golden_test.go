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

// transcript collects what an operator types and reads.
type transcript struct{ strings.Builder }

// slow matches lines that a command prints only on a slow machine.
var slow = regexp.MustCompile(`(?m)^[^ ].*…\n`) // lines of help are indented

// call adds a command line and its output, with TIME in place of times.
func (tr *transcript) call(s *shell, line string) {
	code, out, err := s.call(line)
	said := slow.ReplaceAllString(out+err, "")
	tr.WriteString("$ web " + line + "\n" + strings.ReplaceAll(stamps.ReplaceAllString(said, "TIME"), programName(), "web"))
	if code != 0 {
		tr.WriteString("exit code " + strconv.Itoa(code) + "\n")
	}
	tr.WriteString("\n")
}

// golden compares tr with a golden file.
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
		t.Errorf("%s differs; go test -update writes it:\n%s", file, tr)
	}
}
