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

// Main is for func main: it looks for a command on the command line, runs p if
// there is none, and exits the process with the exit code. It does not return. The
// commands are
//
//	install    make it a service of this machine, or bring the service up to date
//	uninstall  stop the service, and remove what install has made
//	start, stop, restart, reload, pause, continue
//	           what they say, and wait until it is so
//	status     tell what it does
//	logs       print the service's log
//	doctor     find out what keeps it from running
//	run        run p in the foreground; what happens without a command
//	version    print Config.Version
//	help       print what the commands are; help COMMAND, and COMMAND --help, its flags
//
// The program's own flags stand before the command, and what stands there is what
// an installed service is run with: "web -addr :9090 install" installs what
// "web -addr :9090" runs. A program that parses them calls Main afterwards, and hands
// over the rest of the command line in Config.Args. Without Config.Args, what package flag
// has left is that rest, if it has parsed the command line. If not, the first word
// that is a command, and has only flags of its own behind it, is the command, and all
// before it are the program's; the very first word, if it is one, is the command
// whatever is behind it. Where there is none, a command line that begins with a dash is
// the program's own, too, except that what looks like a command starts nothing: a flag
// without a value that has the name of a command, or one that differs by a letter
// (--install, --instal), unless package flag knows it. A program that reads a flag with
// such a name in another way sets Config.Args.
//
// A command line that is wrong is a line on standard error and exit code 2, before
// anything has happened. The other exit codes of commands are those of the LSB: 0 done,
// 1 failed, 3 not supported here, 4 not permitted, 5 not installed, 7 not running; and
// 78 where the configuration is wrong, 75 while another process installs or uninstalls the
// service. status has its own: 0 it runs, 1 it has failed
// or is not well, 3 it does not run, starts or stops, 4 there is none or nobody may tell. Where
// no service manager runs, as in a container, status asks the process itself. A program with a command line of its own mounts
// [Commands] there.
func Main(p Program, c Config) {
	cli := commandLine{program: p, config: c, flags: flag.CommandLine, out: os.Stdout, err: os.Stderr, manage: Manage, ask: health.Ask, calling: howCalled()}
	os.Exit(cli.main(context.Background(), os.Args[1:]))
}

// commandLine is one call of the program.
type commandLine struct {
	program  Program
	config   Config
	flags    *flag.FlagSet // those of the program that package flag knows; nil if it was not asked
	own      []string      // the program's arguments: those before the command
	muddled  error         // why they cannot be told apart from the command
	mounted  bool          // among the program's own commands
	under    []string      // what stands before the command then: "service" in "web service install"
	calling  calling
	verb     string // the command that runs
	out, err io.Writer
	manage   func(Program, Config, ...string) (*Handle, error)
	ask      asker
	notices  []string // for the operator, those that are told first
	told     int      // how many of them
}

// main runs what is on the command line, args, without the name of the program.
func (c *commandLine) main(ctx context.Context, args []string) int {
	if c.config.Args == nil {
		if c.flags != nil && c.flags.Parsed() {
			if own, err := before(args, c.flags.Args()); err == nil {
				return c.behind(ctx, own, c.flags.Args())
			}
		}
		return c.search(ctx, args)
	}
	rest := c.config.Args
	c.own, c.muddled = before(args, rest)
	if len(rest) == 0 {
		return c.run(ctx, options{})
	}
	if v, ok := c.named(rest[0]); ok {
		return c.execute(ctx, v, rest[1:])
	}
	return c.usage(c.unknown(rest[0]))
}

// before is what stands before rest on the command line.
func before(args, rest []string) ([]string, error) {
	if n := len(args) - len(rest); n >= 0 && slices.Equal(args[n:], rest) {
		return args[:n:n], nil
	}
	return nil, usageError(fmt.Sprintf("cannot tell the program's flags from those of the command: want the program's own flags before the command, but got %q", args))
}

// behind looks for a command at the beginning of rest, what package flag has left of the
// command line. Words that are none, behind flags of the program, are its own.
func (c *commandLine) behind(ctx context.Context, own, rest []string) int {
	if len(rest) > 0 {
		if v, ok := c.named(rest[0]); ok {
			c.own = own
			return c.execute(ctx, v, rest[1:])
		}
		if len(own) == 0 || c.meant(rest[0]) != "" {
			return c.usage(c.unknown(rest[0]))
		}
	}
	return c.run(ctx, options{})
}

// search looks for a command where the program has not parsed anything.
func (c *commandLine) search(ctx context.Context, args []string) int {
	var wrong error // of the first word that is a command, but has no flags of one behind it
	for i, a := range args {
		v, ok := c.named(a)
		if !ok || i > 0 && strings.HasPrefix(a, "-") {
			continue
		}
		// The first word of all is no value of a flag: it is the command, or a mistake.
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
	switch {
	case wrong != nil:
		return c.usage(wrong)
	}
	if err := c.refused(args); err != nil {
		return c.usage(err)
	}
	return c.run(ctx, options{})
}

// refused returns an error if a run with args, a command line without a command, would be a
// mistake: if it begins with a word, or has a flag that package flag does not know. A
// program that reads other flags says so with Config.Args.
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
		case c.meant(word) != "":
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

// verbs returns the commands that there are here. A program with its own commands runs by
// one of them.
func (c *commandLine) verbs() []verb {
	if !c.mounted {
		return verbs()
	}
	return slices.DeleteFunc(verbs(), func(v verb) bool { return v.name == "run" })
}

func (c *commandLine) unknown(word string) error {
	if meant := c.meant(strings.TrimLeft(word, "-")); meant != "" {
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

// version is what the program's is.
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

// usage says that the command line is wrong, to the manager as well if there is one.
func (c *commandLine) usage(err error) int {
	_, _ = fmt.Fprintf(c.err, "%s: %v\n", programName(), err)
	if env, bad := thisProcess(c.config, true); bad == nil {
		refuse(env, err) // a service whose command line is wrong
	}
	return exitUsage
}

func programName() string { return filepath.Base(os.Args[0]) }
