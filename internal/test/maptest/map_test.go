// Package maptest checks that the ways in internal/README.md lead through functions that
// exist.
package maptest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestMap_FilesAndFunctionsExist(t *testing.T) {
	const root = "../../.."
	text, err := os.ReadFile(filepath.Join(root, "internal", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	step := regexp.MustCompile("^\\d+\\. `([^`]+\\.go)`: ((?:`\\w+`(?:, )?)+)")
	steps := 0
	for line := range strings.Lines(string(text)) {
		if !regexp.MustCompile(`^\d+\. `).MatchString(line) {
			continue
		}
		parts := step.FindStringSubmatch(line)
		if parts == nil {
			t.Errorf("want a file and its functions: %s", line)
			continue
		}
		steps++
		code, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(parts[1])))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, name := range strings.Split(strings.ReplaceAll(parts[2], "`", ""), ", ") {
			if !regexp.MustCompile(`(?m)^func (\([^)]*\) )?` + name + `[\[(]`).Match(code) {
				t.Errorf("%s has no function %q", parts[1], name)
			}
		}
	}
	if steps < 30 {
		t.Errorf("found %d steps", steps)
	}
}
