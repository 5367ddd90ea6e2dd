//go:build unix

package systemd

import (
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/command"
)

const stampOfTest = "Wed 2026-11-25 01:11:43.944616 UTC"

func TestStart_SaysWhichConditionDidNotHold(t *testing.T) {
	for name, test := range map[string]struct {
		kind   string
		start  error  // of systemctl start
		status string // what systemctl status says
		want   string // the error of Start, "" for none of this kind
	}{
		"a condition": {
			"Condition", nil, "  Condition: start condition failed at Wed 2026-11-25 01:11:43 UTC; 1s ago\n             └─ ConditionPathExists=/no where was not met\n",
			"systemd did not start it: ConditionPathExists=/no where did not hold",
		},
		"two conditions": {
			"Condition", nil, "             ├─ ConditionPathExists=/a was not met\n             └─ ConditionHost=!b was not met\n",
			"systemd did not start it: ConditionPathExists=/a, ConditionHost=!b did not hold",
		},
		"an assertion": {
			"Assert", refusal(1, "Assertion failed on job for web.service."), "             AssertPathExists=/nowhere was not met\n",
			"systemd did not start it: AssertPathExists=/nowhere did not hold",
		},
		"not said which": {
			"Condition", nil, "",
			"systemd did not start it: a condition of its unit did not hold (Condition…= in systemd.unit(5))",
		},
		"another reason": {
			"Assert", refusal(1, "A dependency job for web.service failed."), "             AssertPathExists=/nowhere was not met\n", "",
		},
	} {
		for _, active := range []string{"inactive", "failed"} {
			for _, user := range []bool{false, true} {
				t.Run(name+" "+active, func(t *testing.T) {
					f, m := newFake(t, user)
					install(t, m, web())
					older := map[string]string{
						"ActiveState": active, "Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "200", "InvocationID": "abc", "ExecMainStartTimestamp": stampOfTest,
						"ConditionResult": "yes", "ConditionTimestamp": stampOfTest, "AssertResult": "no", "AssertTimestamp": "n/a",
					}
					f.show["web.service"] = older
					f.answer = func(call string) (string, error, bool) {
						switch {
						case strings.HasPrefix(call, "journalctl"):
							return "Changing to the requested working directory failed\n", nil, true
						case strings.Contains(call, " status "):
							return "", &command.Error{Line: call, Code: 3, Stdout: test.status}, true
						case strings.Contains(call, " start "):
							older[test.kind+"Result"], older[test.kind+"Timestamp"] = "no", stampOfTest
							return "", test.start, true
						}
						return "", nil, false
					}
					err := m.Start(t.Context(), web())
					if test.want == "" {
						if err == nil || strings.Contains(err.Error(), "did not hold") {
							t.Errorf("got %v", err)
						}
						return
					}
					if err == nil || err.Error() != test.want {
						t.Errorf("got %v\nwant %s", err, test.want)
					}
					if log, err := m.LastRun(t.Context(), web()); log != "" || err != nil {
						t.Errorf("the last run is %q, %v", log, err)
					}
					st, err := m.Status(t.Context(), web())
					if want := "systemd did not start it: a condition of its unit did not hold"; err != nil || st.Detail != want {
						t.Errorf("the status is %+v, %v", st, err)
					}
					var found []string
					for _, l := range lines(m.Diagnose(t.Context(), web())) {
						if strings.HasPrefix(l, "3 ") {
							found = append(found, l)
						}
					}
					if len(found) != 1 || !strings.HasPrefix(found[0], "3 last start: "+test.want+" -> ") {
						t.Errorf("found %q", found)
					}
				})
			}
		}
	}
}

func TestUnmet_OnlyIfItWasEvaluatedLast(t *testing.T) {
	for want, units := range map[string][]properties{
		"": {
			{},
			{"ActiveState": "inactive", "ConditionResult": "no", "ConditionTimestamp": "", "AssertResult": "no", "AssertTimestamp": "n/a"}, // never started
			{"ActiveState": "inactive", "ConditionResult": "yes", "ConditionTimestamp": stampOfTest, "AssertResult": "yes", "AssertTimestamp": stampOfTest},
			{"ActiveState": "active", "ConditionResult": "no", "ConditionTimestamp": stampOfTest},
		},
		"Condition": {{"ActiveState": "inactive", "ConditionResult": "no", "ConditionTimestamp": stampOfTest, "AssertResult": "no", "AssertTimestamp": stampOfTest}},
		"Assert":    {{"ActiveState": "failed", "ConditionResult": "yes", "ConditionTimestamp": stampOfTest, "AssertResult": "no", "AssertTimestamp": stampOfTest}},
	} {
		for _, u := range units {
			if got := u.unmet(); got != want {
				t.Errorf("%v: got %q, want %q", u, got, want)
			}
		}
	}
}

func TestStatus_UnmetConditionHidesNoSocket(t *testing.T) {
	f, m := newFake(t, false)
	install(t, m, web(onSocket))
	f.active["web-http.socket"] = "active"
	f.show["web.service"] = map[string]string{"ConditionResult": "no", "ConditionTimestamp": stampOfTest}
	if st, err := m.Status(t.Context(), web(onSocket)); err != nil || st.State != service.Stopped || st.Detail != manage.Listening {
		t.Errorf("got %+v, %v", st, err)
	}
}
