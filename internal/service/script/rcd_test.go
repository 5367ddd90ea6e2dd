//go:build unix

package script

import (
	"context"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/test/managertest"
	"github.com/go-glidepath/glidepath/internal/test/ownedtest"
)

func TestRCD_StartTypesAreInRcConf(t *testing.T) {
	for start, want := range map[service.StartType]string{service.Automatic: "YES", service.Delayed: "YES", service.Manual: "NO", service.Disabled: "NO"} {
		m, f := newRCDDouble(t)
		s := managertest.Plain()
		s.StartType = start
		managertest.Install(t, m, s)
		st, err := m.Status(context.Background(), s)
		if f.rc["web_enable"] != want || err != nil || (st.StartType == service.Automatic) != (want == "YES") {
			t.Errorf("%s: %q, %+v, %v", start, f.rc, st, err)
		}
	}
}

func TestRCD_FailedUpdateLeavesWhatRcConfSaid(t *testing.T) {
	m, f := newRCDDouble(t)
	s := managertest.Plain()
	managertest.Install(t, m, s)
	f.rc["web_enable"] = "NO" // by the operator
	c := f.tree.Begin("web")
	if err := m.dialect.Register(context.Background(), c, &manage.Plan{Spec: s}, manage.Artefact{Old: "NO", New: "YES", Present: true, Wanted: true}); err != nil || f.rc["web_enable"] != "YES" {
		t.Fatal(err, f.rc)
	}
	if err := c.Undo(); err != nil || f.rc["web_enable"] != "NO" {
		t.Errorf("%v, %q", err, f.rc)
	}
}

func TestRCD_FindsWhatTheSupervisorNames(t *testing.T) {
	for name, test := range map[string]struct {
		out   string
		state service.State
		pid   int
	}{
		"running":         {"10 01:00 daemon: web[12] (daemon)\n12 01:00 /usr/local/bin/web\n", service.Running, 12},
		"of kardianos":    {"10 01:00 daemon: web: daemon[12] (daemon)\n12 01:00 /usr/local/bin/web\n", service.Running, 12},
		"waits":           {"10 01:00 daemon: web[12] (daemon)\n", service.Failed, 0},
		"not there":       {"1 01:00 /sbin/init\n", service.Stopped, 0},
		"of another name": {"10 01:00 daemon: my-web[12] (daemon)\n12 01:00 x\n", service.Stopped, 0},
		"who only talks":  {"10 01:00 vi daemon: web[12]\n12 01:00 x\n", service.Stopped, 0},
	} {
		if state, pid, _ := rcdFind(test.out, "web"); state != test.state || pid != test.pid {
			t.Errorf("%s: %s, %d", name, state, pid)
		}
	}
}

func TestRCD_KeepsWhatAnOperatorHasDeleted(t *testing.T) {
	m, f := newRCDDouble(t)
	ownedtest.Stays(t, m, managertest.Plain(), true, func(enabled bool) {
		f.rc["web_enable"] = ""
		if enabled {
			f.rc["web_enable"] = "YES"
		}
	})
}

func TestRCD_Diagnose(t *testing.T) {
	m, f := newRCDDouble(t)
	s := managertest.Plain()
	managertest.Install(t, m, s)
	f.rc["web_enable"] = "NO"
	managertest.Finds(t, m, s, manage.Note, "web_enable is not YES")
	managertest.Put(t, f.tree, "/etc/passwd", rcdPasswd)
	managertest.Finds(t, m, s, manage.Problem, "there is no web")
}
