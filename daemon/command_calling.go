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

// calling holds what an operator types to call this program.
type calling struct {
	program string // empty: the base name of os.Args[0]
	full    string // the same behind sudo, which may search fewer folders
	sudo    string // the prefix of a command that needs root
}

// howCalled returns how this program was called.
func howCalled() calling {
	executable, err := os.Executable()
	if err != nil {
		executable = os.Args[0]
	}
	return calling{
		program: callable(os.Args[0], executable, exec.LookPath),
		full:    callable(os.Args[0], executable, lookInSystem),
		sudo:    manage.Sudo(),
	}
}

// callable returns name if look finds the executable by it, and otherwise the path of the
// executable.
func callable(name, executable string, look func(string) (string, error)) string {
	if filepath.Base(name) != name {
		return name
	}
	found, err := look(name)
	if err != nil || !sameFile(found, executable) {
		return executable
	}
	return name
}

// sameFile reports whether a and b exist and are the same file.
func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	y, err2 := os.Stat(b)
	return err == nil && err2 == nil && os.SameFile(x, y)
}

// lookInSystem looks for a program in the folders that sudo searches by default.
func lookInSystem(name string) (string, error) {
	for _, dir := range []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"} {
		if file := filepath.Join(dir, name); sameFile(file, file) {
			return file, nil
		}
	}
	return "", exec.ErrNotFound
}

// path returns what an operator types before a command: the program, and the words that a
// mounted command has before it.
func (c *commandLine) path() string { return c.pathAs(c.calling.program) }

func (c *commandLine) pathAs(program string) string {
	if program == "" {
		program = programName()
	}
	return asWords(append([]string{program}, c.mountPath...))
}

// call returns what an operator types to call a command for the service that o selects. It
// includes the program's own flags, because the name of the service may depend on them. own
// replaces the flags of this command line.
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
			program = c.calling.full
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
