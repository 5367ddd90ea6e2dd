package script

import (
	"context"
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/command"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
)

// smf speaks SMF of Solaris and illumos: a service is a manifest, and its properties in the
// repository.
//
// svcadm enable starts a service and has it started with the machine, both. Here these are
// two things: what happens now is asked for with -t, which lasts until the machine stops, and
// what happens then is in general/enabled.
type smf struct{ host }

// NewSMF returns the manager of a machine with SMF.
func NewSMF(m manage.Machine) *Manager {
	manager := New(m, smf{host{m}})
	manager.Lookup = lookupUser
	return manager
}

func (smf) Traits() Traits {
	return Traits{Name: "SMF", Sudo: "pfexec, sudo", MakeAccount: "useradd NAME"}
}

// Layout implements Dialect. /var/run is empty after each start of the machine, and nobody
// makes a folder there before the service starts.
func (smf) Layout(s manage.Spec) Layout {
	name := s.ServiceName()
	d := dirs.System("solaris", name, os.Getenv)
	d.Runtime = d.State + "/runtime"
	return Layout{
		Name: name, File: "/lib/svc/manifest/site/" + name + ".xml", Mode: 0o644, Dirs: d,
		Log: "/var/svc/log/" + strings.ReplaceAll(smfPath(s), "/", "-") + ":default.log",
	}
}

// noaccess runs a service that names no account.
const noaccess = "noaccess"

func (smf) Account(manage.Spec) (string, bool) { return noaccess, false }

func (smf) Check(s manage.Spec) error {
	if err := checkXML(s); err != nil {
		return err
	}
	return smfFits(s)
}

// Replaced implements Dialect: kardianos/service has another file, see Former.
func (smf) Replaced(string, manage.Spec, string) ([]string, bool) { return nil, false }

func (d smf) Render(_ context.Context, s manage.Spec, o Owner) (string, []string, error) {
	lines := Lacks("SMF", s, "Dependencies", "Limits.OpenFiles", "Hardening.Profile", "Hardening.Profile LowPorts", "Recovery.Delays")
	if s.Recovery.Never {
		lines = append(lines, "Recovery.Never: SMF restarts it all the same")
	} else {
		lines = append(lines, "Recovery.Delays: SMF has none; it restarts it at once, and gives it up (maintenance) when that happens too often")
	}
	if smfPrivileges(s) != "" && !s.Root() {
		lines = append(lines, "Hardening.Profile: SMF has no sandbox; what it has is an account, fewer privileges, a umask and the folders")
	}
	return smfManifest(s, o.Name, d.Layout(s)), lines, nil
}

func (smf) Registered(manage.Spec) []string { return nil }

// enabled returns whether the service starts with the machine, as SMF has it now.
func (d smf) enabled(ctx context.Context, s manage.Spec) (value string, present bool, err error) {
	out, err := d.Runner()(ctx, "svcprop", "-p", "general/enabled", fmri(s))
	if command.Code(err) > 0 {
		return "", false, nil // the service is not installed
	}
	return strings.TrimSpace(out), err == nil, err
}

func (d smf) setEnabled(ctx context.Context, s manage.Spec, value string) error {
	return d.run(ctx, "svccfg", "-s", fmri(s), "setprop", "general/enabled", "=", "boolean:", value)
}

// smfTodo is what is to become of general/enabled, and what Register has done so far.
type smfTodo struct {
	enable   string
	present  bool
	imported bool
}

func (d smf) Plan(ctx context.Context, p *manage.Plan, stays func(now bool) bool) (any, error) {
	old, present, err := d.enabled(ctx, p.Spec)
	if err != nil {
		return nil, err
	}
	enable := strconv.FormatBool(manage.ByItself(p.Spec.StartType))
	if stays(old == "true") {
		enable = strconv.FormatBool(old == "true")
	}
	p.Artefacts = append(p.Artefacts, manage.Artefact{
		Name: fmri(p.Spec) + " general/enabled", Old: old, New: enable, Present: present, Wanted: true,
	})
	file := d.Layout(p.Spec).File
	p.Calls = append(p.Calls, "svccfg validate "+file, "svccfg import "+file, "svccfg -s "+fmri(p.Spec)+" setprop general/enabled = boolean: "+enable)
	return &smfTodo{enable: enable}, nil
}

// Prepare implements preparer. What it has c call comes after the file is as it was.
func (d smf) Prepare(ctx context.Context, c *files.Change, p *manage.Plan, _ func(string) error, todo any) error {
	if err := d.takeOver(ctx, c, p.Spec.ServiceName()); err != nil {
		return err
	}
	old, present, err := d.enabled(ctx, p.Spec)
	if err != nil {
		return err
	}
	t, late := todo.(*smfTodo), context.WithoutCancel(ctx)
	t.present, t.imported = present, false
	c.Call(func() error {
		switch {
		case !t.imported:
			return nil
		case !present:
			return d.run(late, "svccfg", "delete", "-f", "svc:/"+smfPath(p.Spec))
		}
		return errors.Join(d.run(late, "svccfg", "import", d.Tree.Path(d.Layout(p.Spec).File)), d.setEnabled(late, p.Spec, old))
	})
	return nil
}

// Register implements Dialect. The service goes on as now, whatever it is to do later.
func (d smf) Register(ctx context.Context, _ *files.Change, p *manage.Plan, todo any) error {
	t, s := todo.(*smfTodo), p.Spec
	file := d.Tree.Path(d.Layout(s).File)
	if err := d.run(ctx, "svccfg", "validate", file); err != nil {
		return err
	}
	if t.present {
		if err := d.hold(ctx, s); err != nil {
			return err
		}
	}
	t.imported = true
	if err := d.run(ctx, "svccfg", "import", file); err != nil {
		return err
	}
	if !t.present {
		if err := d.run(ctx, "svcadm", "disable", "-t", fmri(s)); err != nil {
			return err
		}
	}
	return d.setEnabled(ctx, s, t.enable)
}

func (d smf) hold(ctx context.Context, s manage.Spec) error {
	verb := "disable"
	if st, err := d.Status(ctx, s, ""); err != nil {
		return err
	} else if st.State == service.Running || st.State == service.Starting {
		verb = "enable"
	}
	return d.run(ctx, "svcadm", verb, "-t", fmri(s))
}

func (d smf) Unregister(ctx context.Context, c *files.Change, s manage.Spec) ([]string, error) {
	if err := c.Remove(d.Layout(s).File); err != nil {
		return nil, err
	}
	err := d.run(ctx, "svccfg", "delete", "-f", "svc:/"+smfPath(s))
	return append(slices.Clone(c.Done), "svc:/"+smfPath(s)), err
}

// Start implements Dialect. It clears maintenance, which lasts until somebody says that it
// was looked after.
func (d smf) Start(ctx context.Context, s manage.Spec, now service.Status) error {
	if now.Detail == "maintenance" {
		if err := d.run(ctx, "svcadm", "clear", fmri(s)); err != nil {
			return err
		}
	}
	return d.run(ctx, "svcadm", "enable", "-t", fmri(s))
}

// Idle implements idler: what waits for another service is stopped as well.
func (smf) Idle(service.Status) bool { return false }

// Stop implements Dialect. svcadm waits, and SMF kills after the budget.
func (d smf) Stop(ctx context.Context, s manage.Spec, _ service.Status) error {
	return d.run(ctx, "svcadm", "disable", "-s", "-t", fmri(s))
}

func (d smf) Reload(ctx context.Context, s manage.Spec, _ string) error {
	return d.run(ctx, "svcadm", "refresh", fmri(s))
}

func (d smf) Status(ctx context.Context, s manage.Spec, _ string) (service.Status, error) {
	st := service.Status{State: service.Unknown, ExitCode: -1}
	out, err := d.Runner()(ctx, "svcprop", "-p", "restarter", "-p", "general/enabled", fmri(s))
	if command.Code(err) > 0 {
		st.State, st.Detail = service.Stopped, "SMF does not know "+fmri(s)
		return st, nil
	}
	if err == nil {
		smfRead(&st, out)
	}
	return st, err
}

// smfRead reads what svcprop prints of the restarter: a property a line, with its type.
func smfRead(st *service.Status, out string) {
	values := map[string]string{}
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); len(f) >= 3 {
			values[f[0]] = f[2]
		}
	}
	st.Detail = values["restarter/state"]
	st.State = smfState(st.Detail, values["restarter/next_state"])
	if st.State == service.Running {
		st.PID, _ = strconv.Atoi(values["restarter/start_pid"])
	}
	if seconds, _, ok := strings.Cut(values["restarter/state_timestamp"], "."); ok {
		if n, err := strconv.ParseInt(seconds, 10, 64); err == nil {
			st.Since = time.Unix(n, 0)
		}
	}
	st.StartType = service.Manual
	if values["general/enabled"] == "true" {
		st.StartType = service.Automatic
	}
}

func smfState(state, next string) service.State {
	switch {
	case state == "online" && (next == "disabled" || next == "offline"):
		return service.Stopping
	case state == "online" || state == "degraded":
		return service.Running
	case state == "maintenance":
		return service.Failed
	case next == "online" || state == "offline":
		return service.Starting
	case state == "disabled" || state == "uninitialized":
		return service.Stopped
	}
	return service.Unknown
}

func (smf) Diagnose(_ context.Context, s manage.Spec, now service.Status) []manage.Finding {
	switch now.State {
	case service.Failed:
		return []manage.Finding{{Level: manage.Problem, What: "SMF", Detail: "it is in maintenance: it has failed too often, or its method has", Remedy: "see svcs -xv " + fmri(s) + " and the log; start clears it"}}
	case service.Starting:
		return []manage.Finding{{Level: manage.Note, What: "SMF", Detail: "it starts, or waits for a service that it needs", Remedy: "see svcs -xv " + fmri(s)}}
	}
	return nil
}

// smfTheirs returns where kardianos/service v1.3.0 has its manifest, and what it is called.
func smfTheirs(name string) (file, fmri string) {
	return "/lib/svc/manifest/application/" + name + ".xml", "svc:/application/" + name
}

// former returns the manifest of kardianos/service v1.3.0 for that name, "" if there is none.
func (d smf) former(name string) (string, error) {
	path, _ := smfTheirs(name)
	text, _, err := d.Tree.Read(path)
	if err != nil || !strings.Contains(text, "<service_bundle type='manifest' name='golang-"+name+"'>") {
		return "", err
	}
	return text, nil
}

func (d smf) Former(p *manage.Plan, account string) error {
	name := p.Spec.ServiceName()
	text, err := d.former(name)
	if err != nil || text == "" {
		return err
	}
	path, their := smfTheirs(name)
	p.Replaces, p.Installed = "kardianos/service", true
	p.Warnings = append(p.Warnings, smfLost(text, p.Spec, account)...)
	p.Artefacts = append(p.Artefacts, manage.Artefact{Name: path, Mode: "0644", Old: text, Present: true})
	p.Calls = append(p.Calls, "svcadm disable -s "+their+":default", "svccfg delete -f "+their)
	return nil
}

// takeOver removes the service of kardianos/service of that name, which has another name to
// SMF and would run next to ours.
func (d smf) takeOver(ctx context.Context, c *files.Change, name string) error {
	text, err := d.former(name)
	if err != nil || text == "" {
		return err
	}
	path, their := smfTheirs(name)
	late := context.WithoutCancel(ctx)
	state, err := d.Runner()(ctx, "svcs", "-H", "-o", "state", their+":default")
	if err != nil && command.Code(err) <= 0 {
		return err
	}
	if err == nil {
		c.Call(func() error {
			errs := []error{d.run(late, "svccfg", "import", d.Tree.Path(path))}
			if strings.HasPrefix(state, "online") {
				errs = append(errs, d.run(late, "svcadm", "enable", their+":default"))
			}
			return errors.Join(errs...)
		})
		if err := d.run(ctx, "svcadm", "disable", "-s", their+":default"); err != nil {
			return err
		}
		if err := d.run(ctx, "svccfg", "delete", "-f", their); err != nil {
			return err
		}
	}
	return c.Remove(path)
}

// smfLost returns warnings about what a manifest of kardianos/service has and the service in
// its place has not.
func smfLost(old string, s manage.Spec, account string) (warnings []string) {
	for part := range strings.SplitSeq(old, "exec='") {
		exec, rest, _ := strings.Cut(part, "'")
		if strings.HasPrefix(strings.TrimSpace(rest), "timeout_seconds='10'") && unescapeXML(exec) != "bash -c "+s.Executable+" &" {
			warnings = append(warnings, manage.NotCarried("the start method "+unescapeXML(exec)))
		}
	}
	for _, element := range []string{"<envvar ", "<method_credential ", "<method_context", "<propval "} {
		for i, part := range strings.Split(withoutComments(old), element) {
			if what, _, _ := strings.Cut(part, ">"); i > 0 {
				warnings = append(warnings, manage.NotCarried(element+what+">"))
			}
		}
	}
	return append(warnings, manage.FormerRoot(account)...)
}

func withoutComments(text string) string {
	before, rest, found := strings.Cut(text, "<!--")
	for found {
		_, rest, _ = strings.Cut(rest, "-->")
		var more string
		more, rest, found = strings.Cut(rest, "<!--")
		before += more
	}
	return before
}
