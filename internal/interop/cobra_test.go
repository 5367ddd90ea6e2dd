package interop

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/go-glidepath/glidepath/daemon"
)

// mount has the service's commands below "app service", as the documentation of
// daemon.Command says it.
func mount(exit func(code int)) *cobra.Command {
	p := daemon.Func(func(ctx context.Context, ready func()) error {
		ready()
		<-ctx.Done()
		return nil
	})
	config := daemon.Config{Name: "app", Service: daemon.Service{Arguments: []string{"serve"}}}
	app := &cobra.Command{Use: "app", SilenceUsage: true}
	service := &cobra.Command{Use: "service", Short: "install and operate the service"}
	for _, c := range daemon.Commands(p, config) {
		service.AddCommand(&cobra.Command{
			Use: c.Name, Short: c.Summary, DisableFlagParsing: true,
			Run: func(cmd *cobra.Command, args []string) { exit(c.Run(cmd.Context(), args)) },
		})
	}
	app.AddCommand(service)
	return app
}

func TestCobraHandsOverTheFlagsOfACommand(t *testing.T) {
	for line, want := range map[string]int{
		"service version":            0,
		"service install --help":     0,
		"service install --dry-runn": 2,
		"service logs -n many":       2,
		"service status --json=1":    2,
	} {
		code := -1
		app := mount(func(c int) { code = c })
		app.SetArgs(strings.Fields(line))
		if err := app.ExecuteContext(t.Context()); err != nil || code != want {
			t.Errorf("app %s: exit code %d, want %d, %v", line, code, want, err)
		}
	}
}

func TestCobraListsTheCommands(t *testing.T) {
	var out bytes.Buffer
	app := mount(func(int) {})
	app.SetOut(&out)
	app.SetArgs([]string{"service", "--help"})
	if err := app.Execute(); err != nil {
		t.Fatal(err)
	}
	for _, c := range daemon.Commands(nil, daemon.Config{}) {
		if !slices.ContainsFunc(strings.Split(out.String(), "\n"), func(l string) bool {
			return strings.HasPrefix(l, "  "+c.Name+" ") && strings.HasSuffix(l, c.Summary)
		}) {
			t.Errorf("%s is not in\n%s", c.Name, &out)
		}
	}
}
