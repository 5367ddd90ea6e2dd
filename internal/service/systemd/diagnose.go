package systemd

import (
	"context"
	"fmt"
	"os"
	"path"
	"strings"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/command"
)

// diagnosis collects the findings of Diagnose.
type diagnosis struct {
	*Manager
	ctx   context.Context
	spec  manage.Spec
	found []manage.Finding
}

func (d *diagnosis) add(level manage.Level, what, detail, remedy string) {
	d.found = append(d.found, manage.Finding{Level: level, What: what, Detail: detail, Remedy: remedy})
}

// Diagnose looks at the unit as systemd has loaded it, at how it last ended, and at what the
// unit refers to.
func (m *Manager) Diagnose(ctx context.Context, s manage.Spec) []manage.Finding {
	s.User = m.user
	d := diagnosis{Manager: m, ctx: ctx, spec: s}
	if err := requireInstance(s); err != nil {
		d.add(manage.Note, "unit", err.Error(), "")
		return d.found
	}
	u, sockets, err := m.show(ctx, s)
	if err != nil {
		d.add(manage.Problem, "systemd", err.Error(), "")
		return d.found
	}
	if !u.known() && !u.runs() {
		return nil // it is not installed, which the caller reports for all managers
	}
	d.diagnoseUnit(u)
	d.diagnoseLastEnd(u)
	d.diagnoseSockets(u, sockets)
	d.diagnoseFolders()
	d.diagnoseAccount()
	d.diagnoseEnvironmentFiles(u)
	d.diagnosePaths()
	d.diagnoseDependencies()
	d.diagnoseLingering(u.startType(sockets))
	d.diagnoseVersion()
	return d.found
}

// systemctlLine returns a systemctl command to show to the operator, with sudo if it needs
// root.
func (d *diagnosis) systemctlLine(args ...string) string {
	line := d.commandLine(args...)
	if d.user || args[0] == "cat" || args[0] == "status" {
		return line
	}
	return manage.Sudo() + line
}

func (d *diagnosis) diagnoseUnit(u properties) {
	name := unitName(d.spec)
	switch u["LoadState"] {
	case "loaded":
		d.add(manage.OK, "unit", u["FragmentPath"], "")
	case "masked":
		remedy := d.systemctlLine("unmask", name)
		if dir, err := d.unitFolder(); err == nil && d.machine.Tree.Link(path.Join(dir, serviceUnit(d.spec))) == "/dev/null" {
			remedy += ", and install the service again" // the mask has replaced its unit file
		}
		d.add(manage.Problem, "unit", name+" is masked: nothing can start it", remedy)
	case "not-found":
		d.add(manage.Problem, "unit", "the unit file is gone, but the service still runs", "install it again, or stop it: "+d.systemctlLine("stop", name))
	default:
		d.add(manage.Problem, "unit", u.loadError(), "systemd-analyze verify "+name+" shows why")
	}
	if u["NeedDaemonReload"] == "yes" {
		d.add(manage.Warning, "unit", changedText([]string{name}), d.systemctlLine("daemon-reload"))
	}
	drops := u["DropInPaths"]
	if drops != "" {
		d.add(manage.Note, "drop-ins", drops+" changes the installed unit", d.systemctlLine("cat", name)+" shows the result")
	}
	if drops != "" || u["LoadState"] != "loaded" {
		d.verifyUnit(name, u["LoadState"] == "loaded")
	}
}

func (d *diagnosis) diagnoseLastEnd(u properties) {
	if u.unmet() != "" {
		d.add(manage.Problem, "last start", d.unmetReason(d.ctx, d.spec, u), "make it hold or remove it, then start the service; "+d.systemctlLine("cat", unitName(d.spec))+" shows which file has it")
		return
	}
	if u.state() != service.Failed {
		if n := u["NRestarts"]; n != "" && n != "0" {
			d.add(manage.Note, "restarts", n+" since it was started", d.logHint(d.spec))
		}
		return
	}
	remedy := d.logHint(d.spec)
	switch code := u.exitCode(); {
	case u["Result"] == "start-limit-hit":
		remedy = d.systemctlLine("reset-failed", unitName(d.spec)) + ", once the cause is fixed"
	case u["Result"] == "timeout":
		remedy = "Config.StartTimeout and StopTimeout are the limits; for the stack of what hung, " + remedy
	case u["Result"] == "watchdog":
		remedy = "for the stack of each goroutine, " + remedy
	case u["Result"] == "oom-kill":
		remedy = "give it more memory (Limits.Memory)"
	case code == 203:
		remedy = "see the finding about its executable"
	case code == 217:
		remedy = "see the finding about its account"
	case code == 233, 238 <= code && code <= 241:
		remedy = "see the finding about its folders"
	case code == 226:
		remedy = "see the finding about its paths; in a container that forbids namespaces, use Hardening.Profile \"no sandbox\""
	case code == 128+31:
		remedy = "Hardening.Profile \"lenient\" allows more system calls"
	}
	d.add(manage.Problem, "last end", d.failureReason(d.ctx, d.spec, u), remedy)
}

func (d *diagnosis) diagnoseSockets(u properties, sockets []properties) {
	for _, k := range sockets {
		switch {
		case k["ActiveState"] == "failed":
			if taken := d.socketTaken(k["Id"]); taken != "" {
				d.add(manage.Problem, "socket "+k["Id"], taken, "stop that, or choose another address (Service.Sockets); then "+d.systemctlLine("start", k["Id"]))
				break
			}
			d.add(manage.Problem, "socket "+k["Id"], "it has failed: "+k["Result"], "another program may be listening there; see journalctl -u "+k["Id"])
		case k["ActiveState"] != "active" && u.startType(sockets) == service.OnSocket:
			d.add(manage.Problem, "socket "+k["Id"], "it is enabled but not listening", d.systemctlLine("start", k["Id"]))
		}
	}
}

func (d *diagnosis) diagnoseAccount() {
	if err := d.checkAccount(d.ctx, d.spec); err != nil {
		d.add(manage.Problem, "account", err.Error(), "")
	}
	if d.user || d.spec.Account == "" || d.spec.Root() {
		return
	}
	_, err := d.machine.Runner()(d.ctx, "getent", "passwd", "--", d.spec.Account)
	switch command.Code(err) {
	case 0:
		d.add(manage.OK, "account", d.spec.Account, "")
	case 2:
		d.add(manage.Problem, "account", "there is no user "+d.spec.Account, "useradd --system "+d.spec.Account)
	}
}

// diagnosePaths checks that the service can reach its executable and its paths through its
// sandbox.
func (d *diagnosis) diagnosePaths() {
	u, err := d.showProperties(d.ctx, unitName(d.spec), "ProtectHome", "PrivateTmp", "BindPaths", "BindReadOnlyPaths", "ReadWritePaths", "User", "DynamicUser")
	if err != nil {
		return
	}
	tree, executable := d.machine.Tree, d.spec.Executable
	for _, p := range d.spec.Hardening.WritablePaths {
		if !d.user && !tree.Exists(p) {
			d.add(manage.Problem, "path "+p, "it does not exist, and the service does not start without it (226/NAMESPACE)", "create it")
		}
	}
	info, err := os.Stat(tree.Path(executable))
	if err != nil {
		return // the caller reports this for all managers
	}
	if info.Mode().Perm()&0o111 == 0 {
		d.add(manage.Problem, "executable", fmt.Sprintf("%s is not executable: its mode is %04o (203/EXEC)", executable, info.Mode().Perm()), "chmod +x "+executable)
	}
	bound := strings.Contains(u["BindReadOnlyPaths"]+" "+u["BindPaths"], executable)
	home := u["ProtectHome"] == "yes" || u["ProtectHome"] == "tmpfs"
	for _, p := range []string{executable, d.resolveLinks(executable)} {
		if !bound && (home && below(p, homes) || u["PrivateTmp"] == "yes" && below(p, temporaries)) {
			d.add(manage.Problem, "executable", p+" is hidden from the service by its sandbox (203/EXEC)", "install the service again, which makes it visible; or move it, for example to /usr/local/bin")
			return
		}
	}
	if d.user || bound || u["DynamicUser"] != "yes" && (u["User"] == "" || u["User"] == "root") {
		return
	}
	for dir := path.Dir(executable); ; dir = path.Dir(dir) {
		info, err := os.Stat(tree.Path(dir))
		if err == nil && info.Mode().Perm()&0o001 == 0 {
			d.add(manage.Warning, "executable", fmt.Sprintf("the account of the service may be unable to enter %s: its mode is %04o (203/EXEC)", dir, info.Mode().Perm()), "chmod o+x "+dir)
		}
		if dir == "/" || dir == "." {
			return
		}
	}
}

// resolveLinks returns the path of file with links followed, or file if that fails.
func (d *diagnosis) resolveLinks(file string) string {
	if resolved, err := d.resolve(file); err == nil {
		return resolved
	}
	return file
}

// diagnoseDependencies checks the units without which systemd does not start the service.
func (d *diagnosis) diagnoseDependencies() {
	for _, n := range d.spec.Dependencies {
		if n == "network" {
			continue
		}
		if !strings.HasSuffix(n, ".service") {
			n += ".service"
		}
		u, err := d.showProperties(d.ctx, n, "LoadState", "ActiveState")
		if err != nil {
			continue
		}
		switch {
		case !u.known():
			d.add(manage.Problem, "dependency "+n, "there is no such unit, and systemd does not start the service without it", "install it first")
		case u["LoadState"] == "masked":
			d.add(manage.Problem, "dependency "+n, "it is masked", d.systemctlLine("unmask", n))
		case u["ActiveState"] == "failed":
			d.add(manage.Problem, "dependency "+n, "it has failed", d.systemctlLine("status", n))
		}
	}
}

func (d *diagnosis) diagnoseLingering(start service.StartType) {
	if !d.user || start == service.Manual || start == service.Disabled {
		return
	}
	args := []string{"show-user", "--property=Linger", "--value"}
	if uid := d.uid(); uid >= 0 {
		args = append(args, fmt.Sprint(uid))
	}
	out, err := d.machine.Runner()(d.ctx, "loginctl", args...)
	if err == nil && strings.TrimSpace(out) == "no" {
		d.add(manage.Warning, "lingering", "it starts when you log in and stops when your last session ends", "loginctl enable-linger")
	}
}

func (d *diagnosis) diagnoseVersion() {
	v, err := d.version(d.ctx)
	if err != nil {
		return
	}
	if v == 0 {
		d.add(manage.Note, "systemd", fmt.Sprintf("its version is unknown; the unit is for version %d", assumedVersion), "")
		return
	}
	level, detail := manage.OK, fmt.Sprintf("version %d", v)
	if v < hasNotifyReload {
		level, detail = manage.Note, fmt.Sprintf("version %d does not wait for a reload; version %d and later do", v, hasNotifyReload)
	}
	d.add(level, "systemd", detail, "")
	if _, warnings, err := Render(d.spec, v, d.resolveLinks(d.spec.Executable)); err == nil {
		for _, w := range warnings {
			d.add(manage.Note, "systemd", w, "")
		}
	}
}
