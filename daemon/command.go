package daemon

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/internal/host/health"
)

// Command holds a command of [Main], for a program whose command line has commands of its
// own. The programs below have a command "serve", which calls [Run]. They make the Config
// after they have read their flags:
//
//	config := func() daemon.Config {
//		return daemon.Config{Name: "acme", Service: service.Config{
//			Arguments: []string{"--addr", addr, "serve"},
//		}}
//	}
//
// With the standard flag package:
//
//	flag.Parse()
//	if flag.Arg(0) == "service" {
//		for _, c := range daemon.Commands(p, config) {
//			if flag.Arg(1) == c.Name {
//				os.Exit(c.Run(context.Background(), flag.Args()[2:]))
//			}
//		}
//		fmt.Fprintf(os.Stderr, "%q is not a command; try \"acme service help\"\n", flag.Arg(1))
//		os.Exit(2)
//	}
//
// With github.com/spf13/cobra:
//
//	service := &cobra.Command{
//		Use: "service", Short: "install and operate the service",
//		Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
//	}
//	for _, c := range daemon.Commands(p, config) {
//		command := &cobra.Command{
//			Use: c.Name, Short: c.Summary,
//			Run: func(cmd *cobra.Command, args []string) { os.Exit(c.Run(cmd.Context(), args)) },
//		}
//		command.Flags().AddGoFlagSet(c.Flags)
//		service.AddCommand(command)
//	}
//	root.AddCommand(service)
//
// With github.com/urfave/cli/v3:
//
//	service := &cli.Command{Name: "service", Usage: "install and operate the service", HideHelpCommand: true}
//	for _, c := range daemon.Commands(p, config) {
//		service.Commands = append(service.Commands, &cli.Command{
//			Name: c.Name, Usage: c.Summary, SkipFlagParsing: true, HideHelp: true,
//			Action: func(ctx context.Context, cmd *cli.Command) error {
//				os.Exit(c.Run(ctx, cmd.Args().Slice()))
//				return nil
//			},
//		})
//	}
//	root.Commands = append(root.Commands, service)
type Command struct {
	Name    string
	Summary string // one line about what the command does

	// Flags holds the flags of the command, for a library that parses them itself. Setting a
	// flag here has the same effect as passing it to Run.
	Flags *flag.FlagSet

	// Run parses the flags in args, runs the command, and returns the exit code. It prints
	// to standard output, and errors to standard error, in one line each. Ctrl-C and the end
	// of ctx interrupt it.
	Run func(ctx context.Context, args []string) int
}

// Commands returns the commands of [Main], except run, for a program whose command line has
// commands of its own. Each command calls config when it runs, after the program has read
// its flags. The installed service runs with Config.Service.Arguments: the program's command
// that serves, and its flags.
func Commands(p Program, config func() Config) []Command {
	return commands(commandLine{program: p, out: os.Stdout, err: os.Stderr, manage: Manage, ask: health.Ask, calling: howCalled()}, config, os.Args)
}

// commands returns the commands, each of which runs with a copy of cli. line is the command
// line of the process.
func commands(cli commandLine, config func() Config, line []string) []Command {
	cli.mounted = true
	var all []Command
	for _, v := range cli.verbs() {
		o := &options{lines: -1}
		all = append(all, Command{v.name, v.summary, v.flags(o), func(ctx context.Context, args []string) int {
			c := cli
			c.config, c.mountPath = config(), findMountPath(line, v.name, args)
			return c.executeWith(ctx, v, *o, args)
		}})
	}
	return all
}

// findMountPath returns the words between the program and a command that it has mounted:
// "service" in "web service install --now". args does not have the flags of the command if a
// library has parsed them.
func findMountPath(line []string, name string, args []string) []string {
	if n := len(line) - len(args) - 1; n >= 1 && line[n] == name && slices.Equal(line[n+1:], args) {
		return line[1:n:n]
	}
	last := 0
	for i := 1; i < len(line); i++ {
		if line[i] != name {
			continue
		}
		if before := line[i-1]; !strings.HasPrefix(before, "-") || strings.Contains(before, "=") {
			return line[1:i:i]
		}
		last = i // may be the value of a flag
	}
	if last == 0 {
		return nil
	}
	return line[1:last:last]
}

// flags returns the flags of v. Setting one sets it in o.
func (v verb) flags(o *options) *flag.FlagSet {
	set := flag.NewFlagSet(v.name, flag.ContinueOnError)
	set.SetOutput(io.Discard) // the caller of Parse prints the error
	for _, f := range v.options {
		set.Var(&flagValue{o: o, option: f}, f.name, f.summary)
		if f.letter != "" {
			set.Var(&flagValue{o: o, option: f}, f.letter, f.summary)
		}
	}
	return set
}

// flagValue makes an option a flag.Value.
type flagValue struct {
	o      *options
	option option
	text   string
}

// String implements flag.Value.
func (f *flagValue) String() string { return f.text }

// Set implements flag.Value.
func (f *flagValue) Set(text string) error {
	if f.option.value == "" && text != "true" {
		return fmt.Errorf("the flag takes no value, but got %q", text)
	}
	if err := f.option.set(f.o, text); err != nil {
		return err
	}
	f.text = text
	return nil
}

// IsBoolFlag tells package flag that the flag needs no value.
func (f *flagValue) IsBoolFlag() bool { return f.option.value == "" }

// Type tells cobra what to print in its help.
func (f *flagValue) Type() string {
	if f.option.value == "" {
		return "bool"
	}
	return f.option.value
}
