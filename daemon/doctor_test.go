package daemon

import (
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/service"
)

func TestDriftIsComparedWithTheFlagsThatTheServiceWasInstalledWith(t *testing.T) {
	for _, test := range []struct{ installed, asks, want string }{
		{"install", "doctor", "ok       installation: as this program would install it\n"},
		{"-addr :9090 install", "doctor", "ok       installation: as this program would install it\n"},
		{"-addr :9090 install", "-addr :9090 doctor", "ok       installation: as this program would install it\n"},
		{"-addr :9090 install", "-b doctor", "note     installation: not as this program would install it now: /register/web\n         -> look at the difference with web -b install --dry-run\n"},
	} {
		s := newShell(t)
		s.config.Service.Arguments = []string{"serve"}
		s.call(test.installed)
		_, out, _ := s.call(test.asks)
		if out = strings.ReplaceAll(out, programName(), "web"); !strings.Contains(out, test.want) {
			t.Errorf("%s, %s: want %s in\n%s", test.installed, test.asks, test.want, out)
		}
	}
}

func TestDriftIsSaidWithTheCommandThatShowsIt(t *testing.T) {
	s := newShell(t)
	s.call("-addr :9090 install")
	s.executable = "/opt/other/web" // which the new version is in
	_, out, _ := s.call("doctor")
	if want := "look at the difference with " + programName() + " -addr :9090 install --dry-run\n"; !strings.Contains(out, want) {
		t.Errorf("want %s in\n%s", want, out)
	}
	s.config.Service.Arguments = []string{"serve"} // which it did not have
	if _, out, _ = s.call("doctor"); !strings.Contains(out, "look at the difference with "+programName()+" install --dry-run\n") {
		t.Errorf("other arguments of the program itself:\n%s", out)
	}
}

func TestOnlyTheLastRunIsExplained(t *testing.T) {
	const older = "web[41]: open /etc/x: read-only file system\n"
	for log, want := range map[string]string{
		older + "web[42]: dial tcp: connect: network is unreachable\n":                     "dial tcp: connect: network is unreachable",
		older + "web[42]: starting\n":                                                      "",
		older + "web[42]: starting\npanic: of no process\n":                                "panic: of no process",
		older + "web[42]: too many open files\nweb[42]: dial: network is unreachable\n":    "dial: network is unreachable",
		older + "web[42]: dial: network is unreachable\nweb[42]: x: too many open files\n": "x: too many open files",
		`{"level":"info","msg":"starting","event":"starting"}` + "\npanic: old\n" +
			`{"level":"info","msg":"starting","event":"starting"}` + "\n" +
			`{"level":"error","msg":"x","error":"a \"b\": too many open files"}` + "\n": `a "b": too many open files`,
		"2026-11-27T19:30:22.000Z info starting\n2026-11-27T19:30:22.000Z error Access is denied.\n" +
			"2026-11-27T19:30:23.000Z info starting\n2026-11-27T19:30:23.000Z error failed error=\"too many open files\"\n": "too many open files",
	} {
		s := newShell(t)
		s.call("install")
		s.manager.status = service.Status{State: service.Failed, ExitCode: 1}
		s.manager.log = log
		_, out, _ := s.call("doctor")
		_, said, _ := strings.Cut(out, "warning  log: ")
		said, _, _ = strings.Cut(said, "\n")
		if want == "" && said != "" || !strings.HasSuffix(said, want) {
			t.Errorf("the log\n%s is explained as %q, want %q", log, said, want)
		}
	}
}

func TestASignalIsNamed(t *testing.T) {
	for code, want := range map[int]string{
		130: "130 (forced by a second SIGINT, or killed by it)",
		137: "137 (killed by SIGKILL)",
		134: "134 (killed by SIGABRT)",
		139: "139 (killed by SIGSEGV)",
		190: "190 (killed by signal 62)",
		128: "128", 200: "200",
	} {
		if got := codeInWords(code); got != want {
			t.Errorf("%d: %s, want %s", code, got, want)
		}
	}
}
