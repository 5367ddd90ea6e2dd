// Package docstest checks that the documents agree with the code.
package docstest

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/daemon"
)

const root = "../../.."

// read returns a file of the repository.
func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestMap_FilesAndFunctionsExist(t *testing.T) {
	numbered := regexp.MustCompile(`^\d+\. `)
	step := regexp.MustCompile("^\\d+\\. `([^`]+\\.go)`: ((?:`\\w+`(?:, )?)+)")
	steps := 0
	for line := range strings.Lines(read(t, "internal/README.md")) {
		if !numbered.MatchString(line) {
			continue
		}
		parts := step.FindStringSubmatch(line)
		if parts == nil {
			t.Errorf("want a file and its functions: %s", line)
			continue
		}
		steps++
		code := read(t, parts[1])
		for _, name := range strings.Split(strings.ReplaceAll(parts[2], "`", ""), ", ") {
			if !regexp.MustCompile(`(?m)^func (\([^)]*\) )?` + name + `[\[(]`).MatchString(code) {
				t.Errorf("%s has no function %q", parts[1], name)
			}
		}
	}
	if steps < 30 {
		t.Errorf("found %d steps", steps)
	}
}

func TestREADME_ProgramIsTheWorker(t *testing.T) {
	_, code, _ := strings.Cut(read(t, "README.md"), "```go\n")
	code, _, _ = strings.Cut(code, "```\n")
	if _, worker, _ := strings.Cut(read(t, "examples/worker/main.go"), "\n"); code == "" || code != worker {
		t.Errorf("the program in README.md differs from examples/worker/main.go:\n%s", code)
	}
}

func TestReference_HasEachCommandAndFlag(t *testing.T) {
	text := read(t, "daemon/docs/reference.md")
	commands := daemon.Commands(nil, func() daemon.Config { return daemon.Config{} })
	for _, c := range commands {
		row := regexp.MustCompile("(?m)^\\| (`\\w+`, )?`" + c.Name + "`.*$").FindString(text)
		if row == "" {
			t.Errorf("no row for the command %s", c.Name)
			continue
		}
		c.Flags.VisitAll(func(f *flag.Flag) {
			dashed := "--" + f.Name
			if len(f.Name) == 1 {
				dashed = "-" + f.Name
			}
			if f.Name != "grep" && !strings.Contains(row, "`"+dashed+"`") {
				t.Errorf("%s: no %s in %s", c.Name, dashed, row)
			}
			if !regexp.MustCompile("(?m)^\\| .*`" + dashed + "[` ]").MatchString(text) {
				t.Errorf("no row for the flag %s", dashed)
			}
		})
	}
	if len(commands) < 10 {
		t.Errorf("found %d commands", len(commands))
	}
}

func TestLinks_FilesExist(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#: ]+)[^):]*\)`)
	fence := regexp.MustCompile("(?s)```.*?```")
	links := 0
	for _, folder := range []string{".", ".github", "daemon", "daemon/docs", "examples", "examples/*", "internal", "internal/service"} {
		files, err := filepath.Glob(filepath.Join(root, folder, "*.md"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range link.FindAllStringSubmatch(fence.ReplaceAllString(string(text), ""), -1) {
				links++
				if _, err := os.Stat(filepath.Join(filepath.Dir(file), filepath.FromSlash(m[1]))); err != nil {
					t.Errorf("%s: %v", file, err)
				}
			}
		}
	}
	if links < 30 {
		t.Errorf("found %d links", links)
	}
}
