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

func TestWhatLooksLikeACommandStartsNothing(t *testing.T) {
	for _, test := range []struct {
		line  string
		meant string // the command that is suggested; "" if the program runs
	}{
		{"--instal", "install"},
		{"-instal", "install"},
		{"--install", "install"},
		{"--isntall --now", "install"},
		{"-addr :80 --stats", "status"},
		{"--addr :80 --uninstall", "uninstall"},
		{"--hepl", "help"},
		{"--log", ""}, // too short to be sure
		{"--logs=/var/log/web", ""},
		{"--start 5m", ""},
		{"--addr :80", ""},
		{"--addr=:80 --quiet", ""},
		{"-v", ""},
		{"-x -- --install", ""},
		{"--name instal", ""}, // most likely its value
		{"--anything-else", ""},
	} {
		t.Run(test.line, func(t *testing.T) {
			var err bytes.Buffer
			c := commandLine{program: idle{errors.New("it ran")}, out: io.Discard, err: &err, manage: Manage}
			c.config = Config{Name: "web", Host: HostConsole, Logger: zap.NewNop()}
			code := c.main(t.Context(), strings.Fields(test.line))
			switch {
			case test.meant == "":
				if code != exitFailure {
					t.Errorf("it did not run: exit code %d, %s", code, &err)
				}
			case code != exitUsage || !strings.Contains(err.String(), "did you mean '"+programName()+" "+test.meant+"'?"):
				t.Errorf("exit code %d, %s", code, &err)
			}
		})
	}
}

func TestFlagsThatPackageFlagKnowsAreTheProgramsOwn(t *testing.T) {
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
	}
}

func TestOneMistakeIsUnderstood(t *testing.T) {
	for word, want := range map[string]string{
		"install": "install", "instal": "install", "insstall": "install", "iinstall": "install", "instakl": "install", "insatkl": "",
		"isntall": "install", "installl": "install", "nstall": "install", "instell": "install", "innstal": "",
		"stat": "start", "strat": "start", "tsart": "start", "stpo": "stop", "statu": "status", "doctro": "doctor",
		"": "", "log": "", "logs": "logs", "addr": "", "listen": "", "config": "", "verbose": "",
	} {
		if got := new(commandLine).meant(word); got != want {
			t.Errorf("%q is taken for %q, want %q", word, got, want)
		}
	}
}
