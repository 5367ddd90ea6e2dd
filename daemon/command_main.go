package daemon

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/internal/host/health"
)

// Main runs p as the command line says, and exits the process with the exit code. It is
// meant for func main, and does not return. Without a command it runs p in the foreground,
// as [Run] does. The commands install, uninstall, start, stop, restart, reload, pause,
// continue, status, logs and doctor manage the service; run, version and help do what their
// names say. "web help" lists the commands, and "web help COMMAND" lists the flags of one.
//
// The program's own flags go before the command. The command install remembers them:
// "web -addr :9090 install" installs a service that runs "web -addr :9090".
//
// A program that parses its flags with package flag does so before it calls Main. If the
// first word that package flag has left is a command, Main runs it. Another word after flags
// of the program is an argument of its own, unless it looks like a mistyped command. If the
// program has not parsed the command line, the command is the first word that names one and
// has only flags of that command after it. A first word that names a command is always the
// command.
//
// Otherwise, a word that is not a command, and a flag that package flag does not know, start
// nothing and install nothing: Main prints one line to standard error and exits with code 2.
// A program with another parser sets Config.Args to what that parser has left of the command
// line; then Main looks for the command only there.
//
// Commands exit with 0 if they succeed, and otherwise with the codes that the LSB defines
// for init scripts; the [reference] lists them, and all flags.
//
// A program whose command line has commands of its own mounts [Commands] there.
//
// [reference]: https://github.com/go-glidepath/glidepath/blob/main/daemon/docs/reference.md#commands
func Main(p Program, c Config) {
	cli := commandLine{program: p, config: c, flags: flag.CommandLine, out: os.Stdout, err: os.Stderr, manage: Manage, ask: health.Ask, calling: howCalled()}
	os.Exit(cli.main(context.Background(), os.Args[1:]))
}

// commandLine is one call of the program.
type commandLine struct {
	program   Program
	config    Config
	flags     *flag.FlagSet // those of the program that package flag knows; nil if it was not asked
	own       []string      // the program's arguments, which are before the command
	argsErr   error         // the error of finding own
	mounted   bool          // whether the program has mounted the commands among its own
	mountPath []string      // the words before a mounted command: "service" in "web service install"
	calling   calling
	verb      string // the name of the command
	out, err  io.Writer
	manage    func(Program, Config, ...string) (*Handle, error)
	ask       asker
	notices   []string // for the operator
	printed   int      // how many notices are printed
}

// main runs the command line args, which does not include the name of the program.
func (c *commandLine) main(ctx context.Context, args []string) int {
	if c.config.Args == nil {
		if c.flags != nil && c.flags.Parsed() {
			if own, err := ownArguments(args, c.flags.Args()); err == nil {
				return c.runParsed(ctx, own, c.flags.Args())
			}
		}
		return c.runUnparsed(ctx, args)
	}
	rest := c.config.Args
	c.own, c.argsErr = ownArguments(args, rest)
	if len(rest) == 0 {
		return c.run(ctx, options{})
	}
	if v, ok := c.named(rest[0]); ok {
		return c.execute(ctx, v, rest[1:])
	}
	return c.usage(c.unknown(rest[0]))
}

// ownArguments returns the part of args before rest. It fails if args does not end with rest.
func ownArguments(args, rest []string) ([]string, error) {
	if n := len(args) - len(rest); n >= 0 && slices.Equal(args[n:], rest) {
		return args[:n:n], nil
	}
	return nil, usageError(fmt.Sprintf("cannot tell the program's flags from those of the command: want the program's own flags before the command, but got %q", args))
}

// runParsed runs the command at the beginning of rest, which package flag has left of the
// command line. If rest does not begin with a command, and the program has flags before it,
// rest holds the program's own arguments.
func (c *commandLine) runParsed(ctx context.Context, own, rest []string) int {
	if len(rest) > 0 {
		if v, ok := c.named(rest[0]); ok {
			c.own = own
			return c.execute(ctx, v, rest[1:])
		}
		if len(own) == 0 || c.suggest(rest[0]) != "" {
			return c.usage(c.unknown(rest[0]))
		}
	}
	return c.run(ctx, options{})
}

// runUnparsed looks for a command in args, which the program has not parsed, and runs it.
func (c *commandLine) runUnparsed(ctx context.Context, args []string) int {
	var wrong error // of the first command that has something else than its flags after it
	for i, a := range args {
		v, ok := c.named(a)
		if !ok || i > 0 && strings.HasPrefix(a, "-") {
			continue
		}
		// The first word cannot be the value of a flag: it is the command, or a mistake.
		// "help install" installs nothing.
		if _, err := c.parse(v, options{lines: -1}, args[i+1:]); err != nil && i > 0 {
			if wrong == nil {
				wrong = err
			}
			continue
		}
		if err := c.refused(args[:i]); err != nil {
			return c.usage(err)
		}
		c.own = args[:i:i]
		return c.execute(ctx, v, args[i+1:])
	}
	if wrong != nil {
		return c.usage(wrong)
	}
	if err := c.refused(args); err != nil {
		return c.usage(err)
	}
	return c.run(ctx, options{})
}

// refused returns an error if a run with args, a command line without a command, would be a
// mistake: args begins with a word, or has a flag that package flag does not know. A
// program that reads other flags sets Config.Args.
func (c *commandLine) refused(args []string) error {
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		return c.unknown(args[0])
	}
	for _, a := range args {
		if a == "--" {
			return nil
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(a, "-"), "-"), "=")
		word := strings.ToLower(name)
		switch {
		case !strings.HasPrefix(a, "-") || c.flags != nil && c.flags.Lookup(name) != nil:
		case c.suggest(word) != "":
			return c.unknown(word)
		case slices.ContainsFunc(verbs(), func(v verb) bool { return v.hasFlag(word) }):
			return usageError(fmt.Sprintf("%s is a flag of a command and goes after it; '%s help COMMAND' lists the flags", a, c.path()))
		default:
			return usageError(fmt.Sprintf("%s is not a flag of this program; '%s help' lists its commands", a, c.path()))
		}
	}
	return nil
}

// named returns the command called word.
func (c *commandLine) named(word string) (verb, bool) {
	switch word {
	case "-h", "-help", "--help":
		word = "help"
	case "-version", "--version":
		word = "version"
	}
	for _, v := range c.verbs() {
		if v.name == word {
			return v, true
		}
	}
	return verb{}, false
}

// verbs returns the available commands. A program that has mounted them has its own command
// in place of run.
func (c *commandLine) verbs() []verb {
	if !c.mounted {
		return verbs()
	}
	return slices.DeleteFunc(verbs(), func(v verb) bool { return v.name == "run" })
}

// unknown returns the error for word, which is neither a command nor a known flag.
func (c *commandLine) unknown(word string) error {
	if meant := c.suggest(strings.TrimLeft(word, "-")); meant != "" {
		return usageError(fmt.Sprintf("%q is not a command; did you mean '%s %s'?", word, c.path(), meant))
	}
	if strings.HasPrefix(word, "-") {
		return usageError(word + " is not a flag here; the program's own flags go before the command")
	}
	return usageError(fmt.Sprintf("%q is not a command; '%s help' lists them", word, c.path()))
}

func (c *commandLine) run(ctx context.Context, _ options) int {
	begun, err := runProgram(ctx, c.program, c.config, true)
	if err != nil && !begun {
		_, _ = fmt.Fprintf(c.err, "%s: %s\n", programName(), oneLine(err.Error()))
	}
	return ExitCode(err)
}

func (c *commandLine) version(context.Context, options) int {
	_, _ = fmt.Fprintf(c.out, "%s %s (%s, %s/%s)\n", c.config.Name, c.config.version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return 0
}

// version returns Config.Version, or else the version of the main module.
func (c Config) version() string {
	if info, ok := debug.ReadBuildInfo(); ok && c.Version == "" {
		return info.Main.Version
	}
	return c.Version
}

func (c *commandLine) help(_ context.Context, o options) int {
	if o.about != nil {
		return c.helpFor(*o.about)
	}
	if c.config.Description != "" {
		_, _ = fmt.Fprintf(c.out, "%s: %s\n\n", c.config.Name, c.config.Description)
	}
	usage := programName() + " [program flags] [command [command flags]]"
	if c.mounted {
		usage = c.path() + " command [command flags]"
	}
	_, _ = fmt.Fprintf(c.out, "Usage: %s\n\nCommands (%s help COMMAND lists the flags of a command):\n", usage, c.path())
	for _, v := range c.verbs() {
		_, _ = fmt.Fprintf(c.out, "  %-11s%s\n", v.name, v.summary)
	}
	return 0
}

// helpFor prints the flags of v.
func (c *commandLine) helpFor(v verb) int {
	_, _ = fmt.Fprintf(c.out, "%s %s: %s\n", c.path(), v.name, v.summary)
	width := len("--instance NAME")
	for _, o := range v.options {
		width = max(width, len(o.usage()))
	}
	for _, o := range v.options {
		_, _ = fmt.Fprintf(c.out, "  %-*s  %s\n", width, o.usage(), o.summary)
	}
	return 0
}

// usage prints that the command line is wrong, and reports it to the service manager if one
// has started this process.
func (c *commandLine) usage(err error) int {
	_, _ = fmt.Fprintf(c.err, "%s: %v\n", programName(), err)
	if env, bad := thisProcess(c.config, true); bad == nil {
		refuse(env, err) // the service was installed with a wrong command line
	}
	return exitUsage
}

func programName() string { return filepath.Base(os.Args[0]) }
