package daemon

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"strings"
	"testing"

	"go.uber.org/zap"
)

func TestMain_AnUnknownFlagStartsNothing(t *testing.T) {
	for _, line := range []string{
		"--instal", "-instal", "--install", "--isntall --now", "--install now", "--install=true", "--INSTALL", "--start 5m", "--status=1",
		"-addr :80 --stats", "--addr :80 --uninstall", "--addr=:80 --quiet", "--hepl", "--logs=/var/log/web", "--dry-run", "--now", "--user",
		"--json", "-v", "-?", "-", "-x -- --install", "--anything-else", "--remove", "-addr :80 -V",
	} {
		t.Run(line, func(t *testing.T) {
			if code, err := bareCall(t, line); code != exitUsage || strings.Count(err, "\n") != 1 {
				t.Errorf("exit code %d, %s", code, err)
			}
		})
	}
}

func TestMain_AMistypedCommandIsSuggested(t *testing.T) {
	for line, meant := range map[string]string{
		"--instal": "install", "-instal": "install", "--install": "install", "--isntall --now": "install", "--install=true": "install",
		"-addr :80 --stats": "status", "--addr :80 --uninstall": "uninstall", "--hepl": "help",
	} {
		t.Run(line, func(t *testing.T) {
			if code, err := bareCall(t, line); code != exitUsage || !strings.Contains(err, "did you mean '"+programName()+" "+meant+"'?") {
				t.Errorf("%s: exit code %d, %s", line, code, err)
			}
		})
	}
}

func TestMain_ItsOwnFlagsStartTheProgram(t *testing.T) {
	for _, line := range []string{"", "-addr :80", "--addr=:80 -a", "-a -- --install", "-mode instal"} {
		t.Run(line, func(t *testing.T) {
			if code, err := bareCall(t, line); code != exitFailure {
				t.Errorf("%s: it did not run: exit code %d, %s", line, code, err)
			}
		})
	}
}

// bareCall runs the command line of a program that declares ownFlags and fails when it runs.
func bareCall(t *testing.T, line string) (code int, stderr string) {
	var err bytes.Buffer
	c := commandLine{program: idle{errors.New("it ran")}, flags: ownFlags(), out: io.Discard, err: &err, manage: Manage}
	c.config = Config{Name: "web", Host: HostConsole, Logger: zap.NewNop()}
	return c.main(t.Context(), strings.Fields(line)), err.String()
}

func TestMain_ParsedFlagsAreTheProgramsOwn(t *testing.T) {
	for line, want := range map[string]int{
		"-start":              exitFailure, // it ran
		"-start -name x":      exitFailure,
		"-name install":       exitFailure, // a value
		"-name x instal":      exitUsage,
		"-start instal":       exitUsage,
		"-name x page.html":   exitFailure,
		"-name x -- pages":    exitFailure,
		"-name x -- unistall": exitUsage,
		"-name x version":     0,
		"version":             0,
		"page.html":           exitUsage,
	} {
		t.Run(line, func(t *testing.T) {
			flags := flag.NewFlagSet("web", flag.ContinueOnError)
			flags.Bool("start", false, "")
			flags.String("name", "", "")
			if err := flags.Parse(strings.Fields(line)); err != nil {
				t.Fatal(err)
			}
			var err bytes.Buffer
			c := commandLine{program: idle{errors.New("it ran")}, flags: flags, out: io.Discard, err: &err, manage: Manage}
			c.config = Config{Name: "web", Host: HostConsole, Logger: zap.NewNop()}
			if code := c.main(t.Context(), strings.Fields(line)); code != want {
				t.Errorf("%s: exit code %d, want %d: %s", line, code, want, &err)
			}
		})
	}
}

func TestSuggest_UnderstandsOneTypo(t *testing.T) {
	for word, want := range map[string]string{
		"install": "install", "instal": "install", "insstall": "install", "iinstall": "install", "instakl": "install", "insatkl": "",
		"isntall": "install", "installl": "install", "nstall": "install", "instell": "install", "innstal": "",
		"stat": "start", "strat": "start", "tsart": "start", "stpo": "stop", "statu": "status", "doctro": "doctor",
		"": "", "log": "", "logs": "logs", "addr": "", "listen": "", "config": "", "verbose": "",
	} {
		t.Run(word, func(t *testing.T) {
			if got := new(commandLine).suggest(word); got != want {
				t.Errorf("%q is taken for %q, want %q", word, got, want)
			}
		})
	}
}
