package daemon

import (
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/log/logevent"
	"github.com/go-glidepath/glidepath/internal/service/records"
)

func TestDoctor_DriftUsesTheInstalledFlags(t *testing.T) {
	for _, test := range []struct{ installed, asks, want string }{
		{"install", "doctor", "ok       installation: as this program would install it\n"},
		{"-addr :9090 install", "doctor", "ok       installation: as this program would install it\n"},
		{"-addr :9090 install", "-addr :9090 doctor", "ok       installation: as this program would install it\n"},
		{"-addr :9090 install", "-b doctor", "note     installation: not as this program would install it: /register/web\n         -> show the difference with web -b install --dry-run\n"},
	} {
		t.Run(test.installed+", "+test.asks, func(t *testing.T) {
			s := newShell(t)
			s.config.Service.Arguments = []string{"serve"}
			s.call(test.installed)
			_, out, _ := s.call(test.asks)
			if out = strings.ReplaceAll(out, programName(), "web"); !strings.Contains(out, test.want) {
				t.Errorf("%s, %s: want %s in\n%s", test.installed, test.asks, test.want, out)
			}
		})
	}
}

func TestDoctor_DriftNamesTheCommandThatShowsIt(t *testing.T) {
	s := newShell(t)
	s.call("-addr :9090 install")
	s.executable = "/opt/other/web" // has the new version
	_, out, _ := s.call("doctor")
	if want := "show the difference with " + programName() + " -addr :9090 install --dry-run\n"; !strings.Contains(out, want) {
		t.Errorf("want %s in\n%s", want, out)
	}
	s.config.Service.Arguments = []string{"serve"} // the installed service lacks it
	if _, out, _ = s.call("doctor"); !strings.Contains(out, "show the difference with "+programName()+" install --dry-run\n") {
		t.Errorf("other arguments of the program itself:\n%s", out)
	}
}

func TestDoctor_ExplainsOnlyTheLastRun(t *testing.T) {
	at := func(pid int, message string, fields ...zap.Field) records.Record {
		r := record(time.Unix(1, 0), zap.ErrorLevel, message, fields...)
		r.PID = pid
		return r
	}
	const full, away = "too many open files", "dial: network is unreachable"
	begins := at(0, "starting", logevent.Starting.Field())
	older := at(41, "open /etc/x: read-only file system")
	for name, test := range map[string]struct {
		log  []records.Record
		want string
	}{
		"another process":               {[]records.Record{older, at(42, away)}, away},
		"it has said nothing":           {[]records.Record{older, at(42, "starting")}, ""},
		"what no process has said":      {[]records.Record{older, at(42, "starting"), at(0, "panic: of no process")}, "panic: of no process"},
		"the last of two signs":         {[]records.Record{older, at(42, full), at(42, away)}, away},
		"the last of two signs, turned": {[]records.Record{older, at(42, away), at(42, full)}, full},
		"no processes, but events":      {[]records.Record{begins, at(0, "panic: old"), begins, at(0, "x", zap.String("error", `a "b": `+full))}, `a "b": ` + full},
		"text, without either":          {[]records.Record{at(0, "starting"), at(0, "Access is denied."), at(0, "starting"), at(0, "failed", zap.String("error", full))}, full},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShell(t)
			s.call("install")
			s.manager.status = service.Status{State: service.Failed, ExitCode: 1}
			s.log = kept{s.manager, test.log}
			_, out, _ := s.call("doctor")
			_, said, _ := strings.Cut(out, "warning  log: ")
			said, _, _ = strings.Cut(said, "\n")
			if test.want == "" && said != "" || !strings.HasSuffix(said, test.want) {
				t.Errorf("%s: it is explained as %q, want %q", name, said, test.want)
			}
		})
	}
}

func TestCodeInWords_NamesSignals(t *testing.T) {
	for code, want := range map[int]string{
		130: "130 (forced by a second SIGINT, or killed by it)",
		137: "137 (killed by SIGKILL)",
		134: "134 (killed by SIGABRT)",
		139: "139 (killed by SIGSEGV)",
		190: "190 (killed by signal 62)",
		128: "128", 200: "200",
	} {
		t.Run(want, func(t *testing.T) {
			if got := codeInWords(code); got != want {
				t.Errorf("%d: %s, want %s", code, got, want)
			}
		})
	}
}
