//go:build unix

package systemd

import (
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
)

func TestFailure_OfAnotherCommandIsNamed(t *testing.T) {
	const ran = " ; ignore_errors=%s ; start_time=[Wed 2026-11-25 01:11:43 UTC] ; stop_time=[Wed 2026-11-25 01:11:43 UTC] ; pid=7 ; "
	show := func(argv, ignore, end string) string {
		return "{ path=/bin/x ; argv[]=" + argv + strings.Replace(ran, "%s", ignore, 1) + end + " }"
	}
	const general = "a command that runs before or after it failed (ExecStartPre=, ExecStartPost=, ExecStop=)"
	for name, test := range map[string]struct {
		unit map[string]string
		want string
	}{
		"before it": {
			map[string]string{"Result": "exit-code", "ExecMainCode": "0", "ExecMainStatus": "0", "ExecStartPre": show("/bin/true", "no", "code=exited ; status=0") + "\n" + "ExecStartPre=" +
				show("/bin/sh -c exit 7 # a", "yes", "code=exited ; status=7") + "\n" + "ExecStartPre=" + show("/bin/false -x", "no", "code=exited ; status=1")},
			"ExecStartPre=/bin/false -x failed: exit code 1",
		},
		"after it": {
			map[string]string{"Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "0", "ExecStartPost": show("/bin/false", "no", "code=exited ; status=1")},
			"ExecStartPost=/bin/false failed: exit code 1",
		},
		"after it, which was killed for that": {
			map[string]string{"Result": "exit-code", "ExecMainCode": "2", "ExecMainStatus": "15", "ExecStartPost": show("/bin/false", "no", "code=exited ; status=1")},
			"ExecStartPost=/bin/false failed: exit code 1",
		},
		"killed": {
			map[string]string{"Result": "signal", "ExecMainCode": "0", "ExecMainStatus": "0", "ExecStartPre": show("/bin/x", "no", "code=killed ; status=9/KILL")},
			"ExecStartPre=/bin/x failed: killed by SIGKILL",
		},
		"not said which": {
			map[string]string{"Result": "exit-code", "ExecMainCode": "0", "ExecMainStatus": "0", "ExecStartPre": show("/bin/x", "no", "code=(null) ; status=0/0")},
			general,
		},
		"nothing said": {map[string]string{"Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "0"}, general},
		"the program, and a command that cleans up": {
			map[string]string{"Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "3", "ExecStopPost": show("/bin/false", "no", "code=exited ; status=1")},
			"exit code 3",
		},
	} {
		t.Run(name, func(t *testing.T) {
			for suffix, state := range map[string][2]string{"": {"failed", "failed"}, ", waiting for its restart (1s)": {"activating", "auto-restart"}} {
				f, m := newFake(t, false)
				install(t, m, web())
				test.unit["ActiveState"], test.unit["SubState"], test.unit["RestartUSecNext"] = state[0], state[1], "1s"
				f.show["web.service"] = test.unit
				st, err := m.Status(t.Context(), web())
				if err != nil || st.State != service.Failed || st.Detail != test.want+suffix {
					t.Errorf("got %+v, %v, want %q", st, err, test.want+suffix)
				}
				if program := strings.HasPrefix(test.want, "exit code"); (st.ExitCode >= 0) != program {
					t.Errorf("the exit code is %d", st.ExitCode)
				}
				want := "3 last end: " + test.want + suffix + "; see the log"
				if got := lines(m.Diagnose(t.Context(), web())); len(got) != 1 || !strings.HasPrefix(got[0], want) {
					t.Errorf("found %q, want %q", got, want)
				}
				wantError(t, m.startAndCheck(t.Context(), web(), "start"), nil, test.want+suffix+"; see the log")
			}
		})
	}
}
