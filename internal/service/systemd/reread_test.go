//go:build unix

package systemd

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/service/manage"
)

const toReload = "web.service has changed on disk since systemd read it; all units were reloaded (systemctl daemon-reload)"

// outdate changes a unit or its drop-in on disk, until systemd reads it again.
func (f *fake) outdate(units ...string) {
	for _, u := range units {
		f.show[u] = map[string]string{"NeedDaemonReload": "yes"}
	}
	f.answer = func(call string) (string, error, bool) {
		if strings.HasSuffix(call, " daemon-reload") {
			for _, u := range units {
				delete(f.show, u)
			}
		}
		return "", nil, false
	}
}

func TestStart_RereadsChangedUnits(t *testing.T) {
	type does func(*Manager) error
	restart := func(m *Manager) error { return m.Restart(t.Context(), web()) }
	start := func(m *Manager) error { return m.Start(t.Context(), web()) }
	for name, test := range map[string]struct {
		do      does
		state   string
		uid     int
		user    bool
		foreign bool
		calls   []string
		told    []string
	}{
		"restart":                            {restart, "active", 0, false, false, []string{"daemon-reload", "restart -- web.service"}, []string{toReload}},
		"restart of what is stopped":         {restart, "inactive", 0, false, false, []string{"daemon-reload", "restart -- web.service"}, []string{toReload}},
		"start":                              {start, "inactive", 0, false, false, []string{"daemon-reload", "start -- web.service"}, []string{toReload}},
		"start of what runs":                 {start, "active", 0, false, false, nil, []string{"web.service has changed on disk since systemd read it; the running service has not changed; restart it to apply the change"}},
		"restart by a user of the machine's": {restart, "active", 1000, false, false, []string{"restart -- web.service"}, nil}, // systemctl says what to type
		"restart of a unit that is not ours": {restart, "active", 0, false, true, []string{"restart -- web.service"}, nil},
		"restart of a user's own":            {restart, "active", 1000, true, false, []string{"daemon-reload", "restart -- web.service"}, []string{strings.Replace(toReload, "systemctl ", "systemctl --user ", 1)}},
	} {
		t.Run(name, func(t *testing.T) {
			f, m := newFake(t, test.user)
			install(t, m, web())
			if test.foreign {
				f.write(f.unit("web.service"), "[Service]\nExecStart=/bin/web\n")
			}
			f.active["web.service"] = test.state
			f.outdate("web.service")
			f.calls = nil
			m.uid = func() int { return test.uid }
			var told []string
			m.machine.Notice = func(text string) { told = append(told, text) }
			if err := test.do(m); err != nil {
				t.Fatal(err)
			}
			prefix := "systemctl "
			if test.user {
				prefix += "--user "
			}
			if got, want := strings.Join(f.changes(), "\n"), prefix+strings.Join(test.calls, "\n"+prefix); got != strings.TrimSuffix(want, prefix) {
				t.Errorf("called was %q, want %q", got, want)
			}
			if !slices.Equal(told, test.told) {
				t.Errorf("told was %q, want %q", told, test.told)
			}
		})
	}
}

func TestRestart_BadChangeOnDiskStopsNothing(t *testing.T) {
	f, m := newFake(t, false)
	install(t, m, web())
	f.active["web.service"] = "active"
	f.show["web.service"] = map[string]string{"NeedDaemonReload": "yes"}
	f.calls = nil
	m.uid = func() int { return 0 }
	f.answer = func(call string) (string, error, bool) {
		if strings.HasSuffix(call, " daemon-reload") {
			f.show["web.service"] = map[string]string{"LoadState": "bad-setting", "LoadError": `x "Unit web.service has a bad unit file setting."`}
		}
		return "", nil, false
	}
	wantError(t, m.Restart(t.Context(), web()), nil, "bad unit file setting")
	if got := strings.Join(f.changes(), ", "); got != "systemctl daemon-reload" {
		t.Errorf("called was %s", got)
	}
}

func TestStart_FailedRereadIsError(t *testing.T) {
	f, m := newFake(t, false)
	install(t, m, web())
	f.show["web.service"] = map[string]string{"NeedDaemonReload": "yes"}
	f.calls = nil
	m.uid = func() int { return 0 }
	refused := errors.New("refused")
	f.answer = func(call string) (string, error, bool) { return "", refused, strings.HasSuffix(call, " daemon-reload") }
	wantError(t, m.Restart(t.Context(), web()), refused)
}

func TestStatus_TellsOfChangeOnDisk(t *testing.T) {
	f, m := newFake(t, false)
	install(t, m, web(onSocket))
	f.active["web.service"] = "active"
	f.outdate("web.service", "web-http.socket")
	st, err := m.Status(t.Context(), web(onSocket))
	if want := "web.service and web-http.socket have changed on disk since systemd read them"; err != nil || st.Detail != want {
		t.Errorf("status says %q, %v", st.Detail, err)
	}
	found := slices.ContainsFunc(m.Diagnose(t.Context(), web(onSocket)), func(f manage.Finding) bool {
		return f.Level == manage.Warning && f.Detail == "web.service has changed on disk since systemd read it" && strings.HasPrefix(f.Remedy, "systemctl daemon-reload")
	})
	if !found {
		t.Error("doctor says nothing of it")
	}
}
