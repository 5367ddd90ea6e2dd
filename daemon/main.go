package daemon

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
)

// Main is for func main: it looks for a command on the command line, runs p if
// there is none, and exits the process with the exit code. The commands are
//
//	run      run p; what happens without a command
//	version  print Config.Version
//	help     print what the commands are
//
// A command line that is none of these is a line on standard error and exit code 2.
// A program with flags of its own parses them before it calls Main, and hands over
// the rest in Config.Args. Main does not return.
func Main(p Program, c Config) {
	cli := commandLine{program: p, config: c, out: os.Stdout, err: os.Stderr}
	cli.args = os.Args[1:]
	if c.Args != nil {
		cli.args = c.Args
	}
	os.Exit(cli.execute())
}

// commandLine is one call of the program.
type commandLine struct {
	program  Program
	config   Config
	args     []string
	out, err io.Writer
}

// verb is a command of the command line.
type verb struct {
	name, summary string
	do            func(*commandLine) int // returns the exit code
}

func verbs() []verb {
	return []verb{
		{"run", "run in the foreground, as without a command", (*commandLine).run},
		{"version", "print the version", (*commandLine).version},
		{"help", "print this", (*commandLine).help},
	}
}

func (c *commandLine) execute() int {
	if len(c.args) == 0 {
		return c.run()
	}
	name := c.args[0]
	switch name {
	case "-h", "-help", "--help":
		name = "help"
	case "-version", "--version":
		name = "version"
	}
	for _, v := range verbs() {
		switch {
		case v.name != name:
			continue
		case len(c.args) > 1:
			return c.usage("%s takes no arguments, but got %q", name, c.args[1:])
		}
		return v.do(c)
	}
	if strings.HasPrefix(name, "-") {
		return c.usage("%s is not a flag; flags of the program itself are given to Main by Config.Args", name)
	}
	return c.usage("%q is not a command", name)
}

func (c *commandLine) run() int {
	begun, err := runProgram(context.Background(), c.program, c.config, true)
	if err != nil && !begun {
		_, _ = fmt.Fprintf(c.err, "%s: %v\n", programName(), err)
	}
	return ExitCode(err)
}

func (c *commandLine) version() int {
	version := c.config.Version
	if info, ok := debug.ReadBuildInfo(); ok && version == "" {
		version = info.Main.Version
	}
	_, _ = fmt.Fprintf(c.out, "%s %s (%s, %s/%s)\n", c.config.Name, version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return 0
}

func (c *commandLine) help() int {
	if c.config.Description != "" {
		_, _ = fmt.Fprintf(c.out, "%s: %s\n\n", c.config.Name, c.config.Description)
	}
	_, _ = fmt.Fprintf(c.out, "Usage: %s [flags] [command]\n\nCommands:\n", programName())
	for _, v := range verbs() {
		_, _ = fmt.Fprintf(c.out, "  %-9s%s\n", v.name, v.summary)
	}
	return 0
}

func (c *commandLine) usage(format string, args ...any) int {
	err := usageError(fmt.Sprintf(format, args...))
	_, _ = fmt.Fprintf(c.err, "%[1]s: %[2]v; '%[1]s help' lists the commands\n", programName(), err)
	if env, bad := thisProcess(c.config, true); bad == nil {
		refuse(env, err) // a service whose command line is wrong
	}
	return ExitCode(err)
}

func programName() string { return filepath.Base(os.Args[0]) }
