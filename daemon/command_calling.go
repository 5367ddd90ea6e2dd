package daemon

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service/manage"
	quote "github.com/go-glidepath/glidepath/internal/service/system/shell"
)

// calling is how the operator has to type a command of this program so that it works.
type calling struct {
	program string // "" is its bare name
	whole   string // the same for sudo, which may look in fewer folders
	sudo    string // what stands before a command that needs root
}

// howCalled returns how this program was called.
func howCalled() calling {
	executable, err := os.Executable()
	if err != nil {
		executable = os.Args[0]
	}
	return calling{
		program: callable(os.Args[0], executable, exec.LookPath),
		whole:   callable(os.Args[0], executable, lookInSystem),
		sudo:    manage.Sudo(),
	}
}

// callable returns name if it can be typed as it is, else the path of the executable.
func callable(name, executable string, look func(string) (string, error)) string {
	if filepath.Base(name) != name {
		return name
	}
	found, err := look(name)
	if err != nil || !same(found, executable) {
		return executable
	}
	return name
}

func same(a, b string) bool {
	x, err := os.Stat(a)
	y, err2 := os.Stat(b)
	return err == nil && err2 == nil && os.SameFile(x, y)
}

// lookInSystem looks for a program where sudo does, if nobody has changed that.
func lookInSystem(name string) (string, error) {
	for _, dir := range []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"} {
		if file := filepath.Join(dir, name); same(file, file) {
			return file, nil
		}
	}
	return "", exec.ErrNotFound
}

// path is what stands before a command: the program, and its commands that this one is
// mounted below.
func (c *commandLine) path() string { return c.pathAs(c.calling.program) }

func (c *commandLine) pathAs(program string) string {
	if program == "" {
		program = programName()
	}
	return asWords(append([]string{program}, c.under...))
}

// call is how a command is called for the service that o speaks of, with the program's own
// flags before it: what the service is called may depend on them. own are others than those
// of this call.
func (c *commandLine) call(name string, o options, own ...string) string {
	if len(own) == 0 {
		own = c.own
	}
	if c.config.Service.Template && o.instance == "" && c.config.Service.Instance == "" && name != "install" && name != "uninstall" {
		o.instance = "NAME"
	}
	sudo, program := "", c.calling.program
	if privileged(name) && !o.user && !c.config.Service.User {
		if sudo = c.calling.sudo; sudo != "" {
			program = c.calling.whole
		}
	}
	words := append(slices.Clone(own), name)
	if o.user {
		words = append(words, "--user")
	}
	if o.instance != "" {
		words = append(words, "--instance", o.instance)
	}
	return sudo + c.pathAs(program) + " " + asWords(words)
}

// privileged reports whether a command needs the rights of an administrator.
func privileged(name string) bool {
	switch name {
	case "install", "uninstall", "start", "stop", "restart", "reload", "pause", "continue":
		return true
	}
	return false
}

// asWords quotes words for a shell.
func asWords(words []string) string {
	if runtime.GOOS != "windows" {
		return quote.Join(words...)
	}
	quoted := slices.Clone(words)
	for i, w := range words {
		if w == "" || strings.ContainsAny(w, " \t&()^;,=%!'\"") {
			quoted[i] = `"` + strings.ReplaceAll(w, `"`, `\"`) + `"`
		}
	}
	return strings.Join(quoted, " ")
}
