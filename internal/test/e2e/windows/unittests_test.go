//go:build linux

package windows

import (
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

func TestUnitTestsPassOnWindows(t *testing.T) {
	testbed.Require(t)
	const tested = "{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}} {{.Dir}}{{end}}"
	list, err := testbed.Go(t.Context(), "windows", "list", "-f", tested, module+"/...")
	if err != nil {
		t.Fatal(err)
	}
	dirs, exes := make(map[string]string), make(map[string]string)
	var groups [][]string // of packages whose executables have different names
	seen := make(map[string]int)
	for line := range strings.Lines(list) {
		pkg, dir, _ := strings.Cut(strings.TrimSpace(line), " ")
		base := path.Base(pkg)
		group := seen[base]
		seen[base]++
		if group == len(groups) {
			groups = append(groups, nil)
		}
		groups[group] = append(groups[group], pkg)
		dirs[pkg], exes[pkg] = dir, filepath.Join(programs, "tests"+strconv.Itoa(group), base+".test.exe")
	}
	if len(dirs) < 5 {
		t.Fatalf("there are more packages with tests for Windows than these: %v", dirs)
	}
	// Many at once, so that what they share is compiled once.
	for i, pkgs := range groups {
		into := filepath.Join(programs, "tests"+strconv.Itoa(i)) + string(filepath.Separator)
		if _, err := testbed.Go(t.Context(), "windows", append([]string{"test", "-c", "-o", into}, pkgs...)...); err != nil {
			t.Fatal(err)
		}
	}
	for pkg, dir := range dirs {
		t.Run(strings.TrimPrefix(pkg, module+"/"), func(t *testing.T) {
			t.Parallel()
			exe := exes[pkg]
			out, err := machine.WineIn(t.Context(), dir, exe, "-test.v", "-test.timeout=3m")
			switch {
			case err != nil || out.Code != 0:
				t.Errorf("code %d, %v; the tests that failed:\n%s", out.Code, err, failures(out.Stdout+out.Stderr))
			case !strings.Contains(out.Stdout, "--- PASS"):
				t.Errorf("no test has passed:\n%s", failures(out.Stdout))
			case strings.Contains(out.Stdout, "--- SKIP"):
				t.Errorf("a test was skipped, and none may be:\n%s", skips(out.Stdout))
			}
		})
	}
}

// begun matches where the output of a test begins, with that of its subtests.
var begun = regexp.MustCompile(`(?m)^=== RUN   [^/\n]+$`)

// failures is the output of the tests that have failed, or all of it if there are none,
// and only the end of that if it is long.
func failures(output string) string {
	var found strings.Builder
	starts := append(begun.FindAllStringIndex(output, -1), []int{len(output)})
	for i, start := range starts[:len(starts)-1] {
		if text := output[start[0]:starts[i+1][0]]; strings.Contains(text, "--- FAIL") || strings.Contains(text, "\npanic: ") {
			found.WriteString(text)
		}
	}
	text := found.String()
	if text == "" {
		text = output
	}
	return text[max(0, len(text)-16<<10):]
}

func skips(output string) string {
	var found strings.Builder
	for line := range strings.Lines(output) {
		if strings.Contains(line, "--- SKIP") {
			found.WriteString(line)
		}
	}
	return found.String()
}
