package script

import (
	"context"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

const (
	openrcState = "/run/openrc"

	// settled is how long a new supervisor may be without a process below it: OpenRC takes the
	// service for started before there is one.
	settled = 3 * time.Second
)

// Status implements Dialect. It reads what OpenRC and the kernel let everybody read:
// rc-service takes longer and says less.
func (d openrc) Status(_ context.Context, s manage.Spec, text string) (service.Status, error) {
	name := InitD(s).Name
	st := service.Status{State: service.Stopped, StartType: startOf(text, len(d.Registered(s)) > 0), ExitCode: -1}
	if !d.Tree.Exists(openrcState) {
		st.State, st.Detail = service.Unknown, "OpenRC does not run here: there is no "+openrcState
		return st, nil
	}
	stopping, starting := d.is("stopping", name), d.is("starting", name)
	underWay := stopping && d.underWay("stop", name) || starting && d.underWay("start", name)
	super, child := d.processes(name, text) // after openrc-run: it ends when they are there
	if child.PID != 0 {
		st.PID, st.Since = child.PID, child.since(d.Tree)
	}
	if n, err := os.ReadFile(d.Tree.Path(openrcState + "/options/" + name + "/start_count")); err == nil {
		st.Restarts, _ = strconv.Atoi(strings.TrimSpace(string(n)))
	}
	switch {
	case stopping && underWay:
		st.State = service.Stopping
	case underWay:
		st.State = service.Starting
	case d.is("inactive", name):
		st.State, st.Detail = service.Starting, "inactive"
	case d.is("started", name):
		d.started(&st, super, child, text)
	case d.is("failed", name):
		st.State, st.Detail = service.Failed, "failed"
	case stopping && d.is("stopping", name), starting && d.is("starting", name):
		d.cutShort(&st, super, child, text)
	}
	return st, nil
}

// underWay reports whether a process of OpenRC starts or stops the service: openrc-run that was
// killed leaves the mark of what it did, and nothing removes it.
func (d openrc) underWay(verb, name string) bool {
	for _, p := range processes(d.Tree) {
		words := d.words(p.PID)
		if len(words) < 3 || path.Base(words[0]) != "openrc-run" || path.Base(words[1]) != name {
			continue
		}
		if slices.ContainsFunc(words[2:], func(w string) bool { return strings.HasSuffix(w, verb) || strings.HasSuffix(w, "restart") }) {
			return true
		}
	}
	return false
}

// cutShort sets the state of a service whose start or stop was cut short.
func (d openrc) cutShort(st *service.Status, super, child Process, text string) {
	if super.PID != 0 || child.PID != 0 {
		d.started(st, super, child, text)
		return
	}
	st.State, st.Detail = service.Failed, "its start or stop was cut short"
}

// started sets the state of a service that OpenRC takes for started.
func (d openrc) started(st *service.Status, super, child Process, text string) {
	fresh := super.PID != 0 && time.Since(super.since(d.Tree)) < settled
	switch {
	case child.PID != 0 && (super.PID != 0 || !supervised(text)):
		st.State = service.Running
	case child.PID != 0:
		st.State, st.Detail = service.Failed, "unsupervised"
	case fresh:
		st.State = service.Starting
	case super.PID != 0:
		st.State, st.Silent, st.Detail = service.Failed, true, "has ended, and waits to be started again"
	default:
		st.State, st.Silent, st.Detail = service.Failed, true, "has ended by itself"
	}
}

func (d openrc) is(state, name string) bool {
	return d.Tree.Exists(path.Join(openrcState, state, name))
}

func supervised(script string) bool {
	return strings.Contains(script, "\nsupervisor=supervise-daemon\n")
}

// processes finds the supervisor of a service and the process below it.
func (d openrc) processes(name, script string) (super, child Process) {
	if !supervised(script) {
		child, _ = d.number(pidFile(name))
		return super, child
	}
	all := processes(d.Tree)
	supers := map[int]bool{}
	for _, p := range all {
		if p.Name == supervisor && d.serves(p.PID, name) {
			supers[p.PID] = true
		}
	}
	for _, p := range all {
		// Until it executes the program, the process below looks like the one above, and
		// may run helpers of PAM.
		if supers[p.PID] && !supers[p.Parent] {
			super = p
		}
	}
	if super.PID == 0 {
		// A supervisor that was killed leaves its service behind; only root may read this.
		child, _ = d.number(path.Join(openrcState, "options", name, "child_pid"))
		return super, child
	}
	for _, p := range all {
		if p.Parent == super.PID && !supers[p.PID] {
			return super, p
		}
	}
	return super, child
}

// supervisor is what the kernel calls supervise-daemon: it keeps 15 bytes of a name.
const supervisor = "supervise-daemo"

// number returns the process whose number a file has.
func (d openrc) number(file string) (Process, bool) {
	text, err := os.ReadFile(d.Tree.Path(file))
	if err != nil {
		return Process{}, false
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	p, alive := Look(d.Tree, pid)
	if !alive {
		return Process{}, false
	}
	return p, true
}

func (d openrc) serves(pid int, name string) bool {
	words := d.words(pid)
	return len(words) > 1 && words[1] == name
}

// words returns the command line of a process, nil if it has ended.
func (d openrc) words(pid int) []string {
	line, err := os.ReadFile(d.Tree.Path("/proc/" + strconv.Itoa(pid) + "/cmdline"))
	if err != nil {
		return nil
	}
	return strings.Split(string(line), "\x00")
}

func (d openrc) Diagnose(_ context.Context, s manage.Spec, now service.Status) (found []manage.Finding) {
	l := InitD(s)
	text, _, _ := d.Tree.Read(l.File)
	if len(d.Registered(s)) > 0 || strings.Contains(text, "\n"+startMark+string(service.Manual)+"\n") {
		found = append(found, manage.Finding{Level: manage.OK, What: "runlevel", Detail: runlevel})
	} else {
		found = append(found, manage.Finding{Level: manage.Warning, What: "runlevel", Detail: "it is in none, and does not start with the machine", Remedy: "rc-update add " + l.Name + " " + runlevel})
	}
	if now.State == service.Failed && !now.Silent {
		found = append(found, manage.Finding{Level: manage.Problem, What: "OpenRC", Detail: now.Detail, Remedy: "see syslog, and " + l.Log})
	}
	return found
}

// needing matches what the dependency tree of OpenRC has of a service (its number and its
// name), and of each that needs it.
var needing = regexp.MustCompile(`(?m)^depinfo_(\d+)_(service|needsme_\d+)='([^'\n]*)'$`)

// Dependents implements needed. OpenRC stops them as well. Where there is no
// dependency tree, nothing has been started that it could stop.
func (d openrc) Dependents(_ context.Context, s manage.Spec) (manage.Dependents, error) {
	found := manage.Dependents{Along: true}
	text, err := os.ReadFile(d.Tree.Path(openrcState + "/deptree"))
	if err != nil {
		return found, nil
	}
	names, needs := map[string]string{}, map[string][]string{}
	for _, m := range needing.FindAllStringSubmatch(string(text), -1) {
		number, what, name := m[1], m[2], m[3]
		if what == "service" {
			names[number] = name // which comes first
			continue
		}
		needs[names[number]] = append(needs[names[number]], name)
	}
	self := InitD(s).Name
	seen := []string{self}
	var visit func(name string)
	visit = func(name string) {
		for _, n := range needs[name] {
			if slices.Contains(seen, n) {
				continue
			}
			seen = append(seen, n)
			visit(n)
			if d.is("started", n) || d.is("starting", n) || d.is("inactive", n) {
				found.Running = append(found.Running, n)
			} else if d.Tree.Exists("/etc/init.d/" + n) { // what is provided has no script
				found.Stopped = append(found.Stopped, n)
			}
		}
	}
	visit(self)
	return found, nil
}
