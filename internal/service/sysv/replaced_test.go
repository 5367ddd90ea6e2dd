//go:build unix

package sysv

import (
	"slices"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/test/initfake"
)

func TestTheVariablesOfAServiceOfKardianosStay(t *testing.T) {
	m := initfake.New(t)
	manager := newManager(m, "update-rc.d")
	m.Write("/etc/init.d/web", "#!/bin/sh\n# For RedHat and cousins:\n# chkconfig: - 99 01\n# description: serves\n\ncmd=\"/opt/old -v\"\nname=web\npid_file=\"/var/run/$name.pid\"\nstdout_log=\"/var/log/$name.log\"\n\n[ -e /etc/sysconfig/$name ] && . /etc/sysconfig/$name\n")
	for _, round := range []string{"first", "second"} {
		p, err := manager.Plan(t.Context(), initfake.Web(), false)
		if err != nil {
			t.Fatal(err)
		}
		if err := manager.Apply(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		script := p.Artefacts[slices.IndexFunc(p.Artefacts, func(a service.Artefact) bool { return a.Name == "/etc/init.d/web" })].New
		for _, want := range []string{"\n# " + service.Kept + "\n", "\texport SERVICE_ENVIRONMENT_FILE=-/etc/sysconfig/web\n"} {
			if !strings.Contains(script, want) {
				t.Errorf("after the %s install want %q in\n%s", round, want, script)
			}
		}
		said := strings.Join(p.Warnings, "\n")
		for _, want := range []string{
			"EnvironmentFile: -/etc/sysconfig/web stays that of the service that is replaced",
			`the service that is replaced had cmd="/opt/old -v": it is not carried over`,
			"the service that is replaced had other commands in its script",
			"the service that is replaced ran as root",
		} {
			if strings.Contains(said, want) != (round == "first") {
				t.Errorf("the %s install says\n%s\nabout %q", round, said, want)
			}
		}
	}
}
