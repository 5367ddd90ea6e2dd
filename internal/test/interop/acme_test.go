package interop

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/urfave/cli/v3"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/daemon/service"
)

// The programs below mount the service's commands as the documentation of daemon.Command
// says. TestMain runs one of them in place of the tests.
var acmes = map[string]func(){"flag": acmeFlag, "cobra": acmeCobra, "cli": acmeCLI}

func TestMain(m *testing.M) {
	if acme, ok := acmes[os.Getenv("ACME")]; ok {
		acme()
		return
	}
	os.Exit(m.Run())
}

func acmeProgram(addr *string) (daemon.Program, func() daemon.Config) {
	p := daemon.Func(func(_ context.Context, ready func()) error {
		ready()
		fmt.Println("serving at", *addr)
		return nil
	})
	return p, func() daemon.Config {
		return daemon.Config{Name: "acme", Version: "for " + *addr, Service: service.Config{
			Arguments: []string{"--addr", *addr, "serve"},
		}}
	}
}

func acmeFlag() {
	var addr string
	flag.StringVar(&addr, "addr", "nowhere", "the address to listen on")
	p, config := acmeProgram(&addr)
	flag.Parse()
	if flag.Arg(0) == "service" {
		for _, c := range daemon.Commands(p, config) {
			if flag.Arg(1) == c.Name {
				os.Exit(c.Run(context.Background(), flag.Args()[2:]))
			}
		}
		fmt.Fprintf(os.Stderr, "%q is not a command; try \"acme service help\"\n", flag.Arg(1))
		os.Exit(2)
	}
	os.Exit(daemon.ExitCode(daemon.Run(context.Background(), p, config())))
}

func acmeCobra() {
	var addr string
	p, config := acmeProgram(&addr)
	root := &cobra.Command{Use: "acme", SilenceUsage: true}
	root.PersistentFlags().StringVar(&addr, "addr", "nowhere", "the address to listen on")
	root.AddCommand(&cobra.Command{Use: "serve", RunE: func(cmd *cobra.Command, _ []string) error {
		return daemon.Run(cmd.Context(), p, config())
	}})
	service := &cobra.Command{
		Use: "service", Short: "install and operate the service",
		Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	for _, c := range daemon.Commands(p, config) {
		command := &cobra.Command{
			Use: c.Name, Short: c.Summary,
			Run: func(cmd *cobra.Command, args []string) { os.Exit(c.Run(cmd.Context(), args)) },
		}
		command.Flags().AddGoFlagSet(c.Flags)
		service.AddCommand(command)
	}
	root.AddCommand(service)
	os.Exit(daemon.ExitCode(root.ExecuteContext(context.Background())))
}

func acmeCLI() {
	var addr string
	p, config := acmeProgram(&addr)
	root := &cli.Command{
		Name:  "acme",
		Flags: []cli.Flag{&cli.StringFlag{Name: "addr", Value: "nowhere", Destination: &addr}},
		Commands: []*cli.Command{{Name: "serve", Action: func(ctx context.Context, _ *cli.Command) error {
			return daemon.Run(ctx, p, config())
		}}},
	}
	service := &cli.Command{Name: "service", Usage: "install and operate the service", HideHelpCommand: true}
	for _, c := range daemon.Commands(p, config) {
		service.Commands = append(service.Commands, &cli.Command{
			Name: c.Name, Usage: c.Summary, SkipFlagParsing: true, HideHelp: true,
			Action: func(ctx context.Context, cmd *cli.Command) error {
				os.Exit(c.Run(ctx, cmd.Args().Slice()))
				return nil
			},
		})
	}
	root.Commands = append(root.Commands, service)
	os.Exit(daemon.ExitCode(root.Run(context.Background(), os.Args)))
}

// TestTheDocumentedSnippetsAreTheProgramsThatRunHere compares the lines of each snippet
// with this file.
func TestTheDocumentedSnippetsAreTheProgramsThatRunHere(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../../daemon/command.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("acme_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var snippets []string
	for _, d := range file.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.TYPE && g.Specs[0].(*ast.TypeSpec).Name.Name == "Command" {
			for part := range strings.SplitSeq(g.Doc.Text(), "\n\n") {
				if strings.HasPrefix(part, "\t") && strings.Contains(part, "daemon.Commands(") {
					snippets = append(snippets, strings.TrimRight(part, "\n"))
				}
			}
		}
	}
	if len(snippets) != len(acmes) {
		t.Errorf("there are %d snippets, want %d", len(snippets), len(acmes))
	}
	for _, s := range snippets {
		if !strings.Contains(string(text), "\n"+s+"\n") {
			t.Errorf("this runs nowhere here:\n%s", s)
		}
	}
}

func TestTheDocumentedSnippetsRun(t *testing.T) {
	for library := range acmes {
		for _, test := range []struct {
			line string
			code int    // -1 for any that tells of a failure: cobra has its own
			want string // contained in what is printed; PROGRAM is the name of the program
		}{
			{"--addr :9090 service version", 0, "acme for :9090 ("},
			{"--addr :9090 serve", 0, "serving at :9090\n"},
			{"--addr :9090 service help", 0, "\n  uninstall  stop the service"},
			{"--addr :9090 service help install", 0, "PROGRAM --addr :9090 service install: install the service"},
			{"--addr :9090 service install --help", 0, "--dry-run"},
			{"--addr :9090 service install --instance a", 2, "--instance: the service is not a template"},
			{"service logs -n many", -1, "want a number of lines, but got"},
			{"service status now", 2, `status takes only flags, but got "now"`},
			{"service install --dry-runn", -1, "--dry-runn"},
			{"service stauts", -1, "stauts"},
		} {
			t.Run(library+"/"+test.line, func(t *testing.T) {
				code, out := acme(t, library, test.line)
				if want := strings.ReplaceAll(test.want, "PROGRAM", "interop.test"); !strings.Contains(out, want) {
					t.Errorf("got\n%s\nwant %s", out, want)
				}
				if code != test.code && (test.code != -1 || code <= 0) {
					t.Errorf("exit code %d, want %d", code, test.code)
				}
			})
		}
	}
}

func TestCobraTakesTheFlagsOfTheProgramAnywhere(t *testing.T) {
	for _, line := range []string{"service version --addr :9090", "service --addr :9090 version"} {
		if code, out := acme(t, "cobra", line); code != 0 || !strings.Contains(out, "acme for :9090 (") {
			t.Errorf("acme %s: exit code %d: %s", line, code, out)
		}
	}
	if _, out := acme(t, "cobra", "service logs --help"); !strings.Contains(out, "-n, --n LINES") {
		t.Errorf("got\n%s", out)
	}
}

// acme runs a program, and returns its exit code and what it has printed.
func acme(t *testing.T, library, line string) (int, string) {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), executable, strings.Fields(line)...)
	c.Env = append(os.Environ(), "ACME="+library)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	var ended *exec.ExitError
	if err := c.Run(); err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), out.String()
}
