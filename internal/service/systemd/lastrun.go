package systemd

import (
	"context"
	"fmt"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// LastRun implements service.LastRunner.
func (m *Manager) LastRun(ctx context.Context, s manage.Spec) (string, error) {
	if err := requireInstance(s); err != nil {
		return "", err
	}
	u, _, err := m.show(ctx, s)
	if err != nil {
		return "", err
	}
	records := m.lastRunArgs(s, u)
	if records == nil || u.unmet() != "" {
		return "", nil // it has not run since the machine was started, or systemd has refused to start it since
	}
	if id := u["InvocationID"]; !m.user {
		records = append(records, "+", "INVOCATION_ID="+id) // what systemd logs about it
	}
	args := append([]string{"--quiet", "--no-pager", "--output=short-iso", "--lines=200"}, records...)
	out, err := m.machine.Runner()(ctx, "journalctl", args...)
	switch err := m.explain(err); {
	case err != nil:
		return "", err
	case out == "" && !m.user:
		return "", m.emptyLogError(ctx)
	}
	return out, nil
}

// lastRunArgs returns the journalctl arguments that select what the last run of u has logged,
// or nil if they are not known.
func (m *Manager) lastRunArgs(s manage.Spec, u properties) []string {
	begun := u.timeOf("ExecMainStartTimestamp")
	switch id := u["InvocationID"]; {
	case !m.user && id != "":
		return []string{"_SYSTEMD_INVOCATION_ID=" + id}
	case !m.user || begun.IsZero(): // the invocation there is that of the user's systemd
		return nil
	}
	records := []string{fmt.Sprintf("--since=@%d", begun.Unix())}
	process := u["ExecMainPID"]
	for _, word := range m.programArgs(s) {
		if word == "+" && process != "" {
			records = append(records, "_PID="+process) // another run may have ended in that second
		}
		records = append(records, word)
	}
	if process != "" {
		records = append(records, "_PID="+process)
	}
	return records
}

// Confined implements service.Confiner.
func (m *Manager) Confined(ctx context.Context, s manage.Spec) manage.Confinement {
	if bareTemplate(s) {
		return manage.Confinement{}
	}
	u, err := m.showProperties(ctx, unitName(s), sandboxProperties...)
	if err != nil {
		return manage.Confinement{}
	}
	c := manage.Confinement{Account: u["User"], Dynamic: u["DynamicUser"] == "yes", Directives: u}
	u["EnvironmentFile"] = strings.Join(u.requiredFiles(), "\n")
	if c.Account == "" && !c.Dynamic && !m.user {
		c.Account = "root"
	}
	return c
}

// sandboxProperties lists the unit properties that restrict a service, and those with what it
// cannot start without.
var sandboxProperties = []string{
	"User", "DynamicUser", "ProtectHome", "ProtectSystem", "PrivateTmp", "PrivateDevices", "DevicePolicy", "PrivateNetwork", "IPAddressDeny",
	"ProtectKernelTunables", "ProtectKernelModules", "ProtectKernelLogs", "ProtectControlGroups", "ProtectClock", "ProtectHostname", "ProtectProc", "ProcSubset",
	"MemoryDenyWriteExecute", "RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID", "RestrictAddressFamilies", "SystemCallFilter", "CapabilityBoundingSet",
	"NoNewPrivileges", "WorkingDirectory", "EnvironmentFiles",
}
