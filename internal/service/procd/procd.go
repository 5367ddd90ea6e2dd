// Package procd installs services of OpenWrt.
package procd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/log/syslog"
	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/system/account"
	"github.com/go-glidepath/glidepath/internal/service/system/command"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
	"github.com/go-glidepath/glidepath/internal/service/onefile"
	"github.com/go-glidepath/glidepath/internal/service/records"
	"github.com/go-glidepath/glidepath/internal/service/system/safe"
	"github.com/go-glidepath/glidepath/internal/service/syslogfile"
)

// nobody is who runs a service without an account where there are no tools to make one,
// as on most of these machines.
const nobody = "nobody"

// Manager is the service.Manager of OpenWrt.
type Manager struct {
	m      service.Machine
	uid    int
	safe   func(file string, user bool) error
	chown  onefile.Chown
	stream func(ctx context.Context, stdout, stderr io.Writer, name string, args ...string) error
}

// New returns the manager of services of the machine m; procd has none of users.
func New(m service.Machine) *Manager {
	return &Manager{m: m, uid: os.Geteuid(), safe: safe.Executable, stream: command.Stream}
}

// Name implements service.Manager.
func (m *Manager) Name() string { return "procd" }

// layout is where the parts of a service are.
type layout struct {
	script string
	dirs   dirs.Dirs
}

func place(name string) layout {
	return layout{script: "/etc/init.d/" + name, dirs: dirs.System("linux", name, os.Getenv)}
}

// link is what has the service started or stopped with the machine.
type link struct{ path, target string }

func links(s service.Spec) []link {
	name := s.ServiceName()
	return []link{
		{fmt.Sprintf("/etc/rc.d/S%d%s", order(s), name), "../init.d/" + name},
		{fmt.Sprintf("/etc/rc.d/K%d%s", stopOrder, name), "../init.d/" + name},
	}
}

// stale are the links of a service that are not as they are to be now: of another start
// type, or of kardianos/service.
func (m *Manager) stale(name string, wanted []link) []string {
	var stale []string
	entries, _ := os.ReadDir(m.m.Tree.Path("/etc/rc.d"))
	for _, e := range entries {
		n := e.Name()
		if len(n) < 3 || n[0] != 'S' && n[0] != 'K' || n[3:] != name || n[1] < '0' || n[1] > '9' || n[2] < '0' || n[2] > '9' {
			continue
		}
		p := "/etc/rc.d/" + n
		if !slices.ContainsFunc(wanted, func(l link) bool { return l.path == p }) {
			stale = append(stale, p)
		}
	}
	return stale
}

func wanted(s service.Spec) []link {
	if onefile.ByHand(s) {
		return nil
	}
	return links(s)
}

// user is the account of the service, and whether install makes it if there is none.
func (m *Manager) user(s service.Spec) (name string, own bool) {
	switch {
	case s.Root():
		return "root", false
	case s.Account != "":
		return s.Account, false
	}
	if own := account.Name(s.ServiceName()); m.has(own) {
		return own, true
	}
	for _, tool := range []string{"/usr/sbin/useradd", "/usr/sbin/adduser", "/usr/bin/adduser", "/bin/adduser"} {
		if m.m.Tree.Exists(tool) {
			return account.Name(s.ServiceName()), true
		}
	}
	return nobody, false
}

func (m *Manager) has(name string) bool {
	text, _, _ := m.m.Tree.Read("/etc/passwd")
	return strings.HasPrefix(text, name+":") || strings.Contains(text, "\n"+name+":")
}

func (m *Manager) file(s service.Spec) onefile.File {
	name, _ := m.user(s)
	l := place(s.ServiceName())
	k := onefile.Script{Sum: 0x05b97fbb, Command: "cmd", Own: []string{"USE_PROCD", "START", "STOP", "name", "pid_file"}}
	return onefile.File{
		Path: l.script, Mode: 0o755, Text: render(s, name, l), Theirs: kardianos,
		Lost: func(old string) []string { return k.Lost(old, s, name) },
	}
}

// kardianos knows the scripts of kardianos/service v1.3.0 by their comments.
func kardianos(text string) bool {
	return strings.Contains(text, "# After network starts\nSTART=21\n") && strings.Contains(text, "\npid_file=\"/var/run/${name}.pid\"\n")
}

// Plan implements service.Manager.
func (m *Manager) Plan(ctx context.Context, s service.Spec, force bool) (*service.Plan, error) {
	p := &service.Plan{Spec: s}
	if err := onefile.CheckExecutable(p, m.m.Tree, m.safe, force); err != nil {
		return nil, err
	}
	if err := m.file(s).Compare(p, m.m.Tree, force); err != nil {
		return nil, err
	}
	if err := m.belongings(s).Check(p, force); err != nil {
		return nil, err
	}
	onefile.PlanFolders(p, m.m.Tree, onefile.Folders(place(s.ServiceName()).dirs))
	tree, t := m.m.Tree, todo{}
	now := slices.ContainsFunc(m.stale(s.ServiceName(), nil), func(p string) bool { return strings.HasPrefix(path.Base(p), "S") })
	if !m.belongings(s).Stays(p, now) {
		t = todo{wanted(s), m.stale(s.ServiceName(), wanted(s))}
	}
	for _, l := range t.links {
		p.Artefacts = append(p.Artefacts, service.Artefact{
			Name: l.path, Old: tree.Link(l.path), New: l.target, Present: tree.Exists(l.path), Wanted: true,
		})
	}
	for _, path := range t.stale {
		p.Artefacts = append(p.Artefacts, service.Artefact{Name: path, Old: tree.Link(path), Present: true})
	}
	m.belongings(s).PlanStart(p)
	p.Private = t
	p.Warnings = append(p.Warnings, onefile.Lacks("procd", s, "Limits.OpenFiles", "StartType", "Dependencies")...)
	if needs := slices.DeleteFunc(slices.Clone(s.Needs), func(n string) bool { return n == "network" }); len(needs) > 0 {
		p.Warnings = append(p.Warnings, fmt.Sprintf("Dependencies: procd starts by numbers, and this is %d; the program has to wait for %s itself", order(s), strings.Join(needs, ", ")))
	}
	if s.Start == service.Disabled {
		p.Warnings = append(p.Warnings, "StartType: procd can start it all the same when somebody asks for it")
	}
	if s.Start == service.OnSocket {
		p.Warnings = append(p.Warnings, "StartType: procd starts nothing for a connection; it starts with the machine")
	}
	name, own := m.user(s)
	find := account.Find
	if own {
		find = func(ctx context.Context, m service.Machine, _ string) (account.Account, bool, error) {
			return account.Own(ctx, m, s.ServiceName())
		}
	}
	if a, exists, err := find(ctx, m.m, name); errors.Is(err, service.ErrSpec) {
		return nil, err
	} else if err == nil && exists {
		p.Warnings = append(p.Warnings, onefile.Strangers(tree, onefile.Folders(place(s.ServiceName()).dirs), name, a.UID)...)
	}
	switch {
	case s.Account == "" && !own:
		p.Warnings = append(p.Warnings, "Account: there are no tools here to make one; it runs as nobody, and other services that do can read its files")
	case own && !m.has(name):
		p.Calls = append(p.Calls, "adduser "+name)
	}
	if target := strings.Trim(tree.Link("/var"), "/"); target == "tmp" {
		p.Warnings = append(p.Warnings, "the state directory is below /var, which is in memory here: what is in it is lost when the machine stops")
	}
	return p, nil
}

// todo is which links Apply makes, and which it removes.
type todo struct {
	links []link
	stale []string
}

// Apply implements service.Manager.
func (m *Manager) Apply(ctx context.Context, p *service.Plan) error {
	doing := "install " + p.Spec.ServiceName()
	if m.uid != 0 {
		return fmt.Errorf("%s: %w: run it as root", doing, service.ErrPermission)
	}
	t, ok := p.Private.(todo)
	if !ok {
		return errors.New("procd: the plan is of another manager")
	}
	return onefile.Install(m.m.Tree, p.Spec.ServiceName(), func(c *files.Change) error { return m.apply(ctx, c, p, t) })
}

func (m *Manager) apply(ctx context.Context, c *files.Change, p *service.Plan, t todo) error {
	s := p.Spec
	name := s.ServiceName()
	f := m.file(s) // before an account is made that changes what it says
	owner, err := m.owner(ctx, c, s)
	if err != nil {
		return err
	}
	if err := m.belongings(s).Write(c, p); err != nil {
		return err
	}
	if err := onefile.Make(c, m.m.Tree, onefile.Folders(place(name).dirs), owner, m.chown); err != nil {
		return err
	}
	if err := c.Write(f.Path, f.Text, f.Mode); err != nil {
		return err
	}
	for _, l := range t.links {
		if err := c.Symlink(l.path, l.target); err != nil {
			return err
		}
	}
	for _, path := range t.stale {
		if err := c.Remove(path); err != nil {
			return err
		}
	}
	return m.belongings(s).SetStart(c, s.Start)
}

func (m *Manager) owner(ctx context.Context, c *files.Change, s service.Spec) (onefile.Owner, error) {
	name, own := m.user(s)
	if own {
		name = ""
	}
	return onefile.Account(ctx, m.m, c, s, name, "")
}

// Remove implements service.Manager.
func (m *Manager) Remove(ctx context.Context, s service.Spec, purge bool) ([]string, error) {
	name := s.ServiceName()
	doing := "remove " + name
	l := place(name)
	switch err := m.file(s).Removable(m.m.Tree, doing); {
	case m.belongings(s).Left(err, purge, l.script): // it was uninstalled, and has left this
		removed, err := onefile.PurgeAll(ctx, m.m, s, m.belongings(s).Gone())
		return removed, onefile.Refused(err, doing)
	case err != nil:
		return nil, err
	}
	if m.uid != 0 {
		return nil, fmt.Errorf("%s: %w: run it as root", doing, service.ErrPermission)
	}
	paths := append(m.stale(name, nil), l.script)
	if err := m.belongings(s).Removable(purge, paths...); err != nil {
		return nil, onefile.Refused(err, doing)
	}
	if err := onefile.Halt(ctx, m, s); err != nil {
		return nil, err
	}
	c := m.m.Tree.Begin(name)
	if err := m.belongings(s).DropStart(c); err != nil {
		return nil, onefile.Refused(errors.Join(err, c.Undo()), doing)
	}
	for _, path := range paths {
		if err := c.Remove(path); err != nil {
			return nil, onefile.Refused(errors.Join(err, c.Undo()), doing)
		}
	}
	removed := slices.Clone(c.Done)
	if err := c.Keep(); err != nil || !purge {
		return removed, errors.Join(err, m.belongings(s).Forget())
	}
	gone, err := onefile.PurgeAll(ctx, m.m, s, m.belongings(s))
	return append(removed, gone...), onefile.Refused(err, doing)
}

// call runs a command of the script.
func (m *Manager) call(ctx context.Context, name, verb string) error {
	doing := verb + " " + name
	if !m.m.Tree.Exists(place(name).script) {
		return fmt.Errorf("%s: %w", doing, service.ErrNotInstalled)
	}
	if m.uid != 0 {
		return fmt.Errorf("%s: %w: run it as root", doing, service.ErrPermission)
	}
	_, err := m.m.Runner()(ctx, m.m.Tree.Path(place(name).script), verb)
	return onefile.Refused(err, doing)
}

// Start implements service.Manager.
func (m *Manager) Start(ctx context.Context, s service.Spec) error {
	st, err := m.Status(ctx, s)
	if err != nil || st.State == service.Running {
		return err
	}
	name := s.ServiceName()
	if err := m.call(ctx, name, "start"); err != nil {
		return err
	}
	return onefile.Supervised(ctx, m.m, name, func() (service.Status, error) { return m.Status(ctx, s) })
}

// Stop implements service.Manager. procd is told, and does not say when it is done.
func (m *Manager) Stop(ctx context.Context, s service.Spec) error {
	name := s.ServiceName()
	r, err := m.instance(ctx, name)
	if err != nil {
		return fmt.Errorf("stop %s: %w", name, err)
	}
	if err := m.call(ctx, name, "stop"); err != nil {
		return err
	}
	if !r.Running {
		return nil
	}
	m.m.Waiting(name + " stops")
	bound := time.Duration(r.TermTimeout)*time.Second + onefile.Margin
	err = onefile.Await(ctx, 100*time.Millisecond, bound, func() (bool, error) {
		r, err := m.instance(ctx, name)
		return !r.Running, err
	})
	if errors.Is(err, onefile.ErrLate) {
		return fmt.Errorf("%s has not stopped after %s", name, bound)
	}
	return err
}

// Restart implements service.Manager.
func (m *Manager) Restart(ctx context.Context, s service.Spec) error {
	return onefile.Restart(ctx, m, s)
}

// Reload implements service.Manager.
func (m *Manager) Reload(ctx context.Context, s service.Spec) error {
	name := s.ServiceName()
	if _, err := onefile.Reloadable(ctx, m, s); err != nil {
		return err
	}
	text, _, err := m.m.Tree.Read(place(name).script)
	if err != nil {
		return onefile.Refused(err, "reload "+name)
	}
	if !strings.Contains(text, "\nreload_service()") { // rc.common would start it instead
		return fmt.Errorf("reload %s: %w: its script knows no reload; install it anew", name, service.ErrNotSupported)
	}
	return m.call(ctx, name, "reload")
}

// Pause implements service.Manager.
func (m *Manager) Pause(context.Context, service.Spec) error { return onefile.NoPause("procd") }

// Continue implements service.Manager.
func (m *Manager) Continue(context.Context, service.Spec) error { return onefile.NoPause("procd") }

// instance is what procd says of the one process of a service.
type instance struct {
	Running     bool `json:"running"`
	PID         int  `json:"pid"`
	ExitCode    *int `json:"exit_code"`
	TermTimeout int  `json:"term_timeout"`
}

// instance asks procd. A service that it does not know is one that does not run.
func (m *Manager) instance(ctx context.Context, name string) (instance, error) {
	query, err := json.Marshal(map[string]string{"name": name})
	if err != nil {
		return instance{}, err
	}
	out, err := m.m.Runner()(ctx, "ubus", "call", "service", "list", string(query))
	if err != nil {
		return instance{}, err
	}
	var said map[string]struct {
		Instances map[string]instance `json:"instances"`
	}
	if strings.TrimSpace(out) == "" {
		return instance{}, nil
	}
	if err := json.Unmarshal([]byte(out), &said); err != nil {
		return instance{}, fmt.Errorf("what ubus says of %s: %w", name, err)
	}
	for _, i := range said[name].Instances {
		return i, nil // there is one
	}
	return instance{}, nil
}

// Status implements service.Manager. ubus answers root alone, who is everybody on these
// machines.
func (m *Manager) Status(ctx context.Context, s service.Spec) (service.Status, error) {
	name := s.ServiceName()
	st := service.Status{State: service.NotInstalled, ExitCode: -1}
	if !m.m.Tree.Exists(place(name).script) {
		return st, nil
	}
	st.Start = service.Manual
	entries, _ := os.ReadDir(m.m.Tree.Path("/etc/rc.d"))
	for _, e := range entries {
		switch n := e.Name(); {
		case n == "S"+strconv.Itoa(delayedOrder)+name:
			st.Start = service.Delayed
		case len(n) > 3 && n[0] == 'S' && n[3:] == name:
			st.Start = service.Automatic
		}
	}
	r, err := m.instance(ctx, name)
	if err != nil {
		st.State = service.Unknown
		return st, onefile.Refused(err, "status of "+name)
	}
	st.State = service.Stopped
	switch {
	case r.Running:
		st.State, st.PID, st.Since = service.Running, r.PID, m.since(r.PID)
	case r.ExitCode != nil && *r.ExitCode != 0:
		st.State, st.ExitCode = service.Failed, *r.ExitCode
	}
	return st, nil
}

// since is when a process began: its folder in /proc is as old as it is.
func (m *Manager) since(pid int) time.Time {
	info, err := os.Stat(m.m.Tree.Path("/proc/" + strconv.Itoa(pid)))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// Logs implements service.Manager. logd keeps in memory what the service has logged, and
// what it has written to its output.
func (m *Manager) Logs(ctx context.Context, s service.Spec, q service.LogQuery, w io.Writer) error {
	messages := &syslogfile.Messages{View: records.NewView(q, w)}
	is := writer(s)
	lines := &records.Lines{To: func(line []byte) error {
		if m, by := syslogfile.By(line, is, time.Now()); by {
			return messages.Add(m)
		}
		return nil
	}}
	var complaints strings.Builder
	err := m.stream(ctx, lines, &complaints, "logread")
	if said := strings.TrimSpace(complaints.String()); err == nil && said != "" {
		m.m.Note("logread: " + said)
	}
	if err == nil {
		err = errors.Join(lines.End(), messages.End(), messages.View.Flush())
	}
	if err == nil && q.Follow {
		err = m.stream(ctx, following{lines, messages}, io.Discard, "logread", "-f")
	}
	if q.Follow && ctx.Err() != nil {
		return nil
	}
	return onefile.Refused(err, "read the log")
}

// following writes what is read at once: the messages of a record come together.
type following struct {
	lines    *records.Lines
	messages *syslogfile.Messages
}

func (f following) Write(b []byte) (int, error) {
	n, err := f.lines.Write(b)
	return n, errors.Join(err, f.messages.End())
}

// writer reports whether a word before a message is the tag of the service's records, or
// what procd has before the lines of its output: the name of the command, of which it has
// 31 characters with the process ID.
func writer(s service.Spec) func(word string) bool {
	name := path.Base(s.Executable)
	if s.Directory != "" {
		name = "sh"
	}
	const room = 20
	tags := []string{syslog.Tag(s.ServiceName()) + "["}
	if len(name) <= room {
		tags = append(tags, name+"[")
	} else {
		tags = append(tags, name[:room])
	}
	return func(word string) bool {
		return slices.ContainsFunc(tags, func(tag string) bool { return strings.HasPrefix(word, tag) })
	}
}

// Diagnose implements service.Manager.
func (m *Manager) Diagnose(ctx context.Context, s service.Spec) []service.Finding {
	found := onefile.Examine(m.m.Tree, place(s.ServiceName()).script, s, m.safe)
	if len(found) == 1 {
		return found
	}
	if name, _ := m.user(s); name != "root" && !m.has(name) {
		found = append(found, service.Finding{Level: service.Problem, What: "account", Detail: "there is no " + name, Remedy: "install the service anew"})
	}
	st, err := m.Status(ctx, s)
	switch {
	case err != nil:
		found = append(found, service.Finding{Level: service.Warning, What: "procd", Detail: err.Error()})
	case st.State == service.Failed:
		found = append(found, service.Finding{Level: service.Problem, What: "last end", Detail: "exit code " + strconv.Itoa(st.ExitCode), Remedy: "see the log"})
	case st.Start == service.Manual:
		found = append(found, service.Finding{Level: service.Note, What: "procd", Detail: "it does not start with the machine", Remedy: "install it with another start type if it is to"})
	}
	return found
}

// Launches implements service.Launcher.
func (m *Manager) Launches(_ context.Context, s service.Spec) (string, error) {
	text, _, err := m.m.Tree.Read(place(s.ServiceName()).script)
	if words := launched(text); len(words) > 0 {
		return words[0], err
	}
	return "", err
}

// Passes implements service.Passer.
func (m *Manager) Passes(_ context.Context, s service.Spec) (args []string, ok bool) {
	text, _, err := m.m.Tree.Read(place(s.ServiceName()).script)
	words := launched(text)
	if err != nil || len(words) == 0 || !service.Marked(text) {
		return nil, false
	}
	return words[1:], true
}

func (m *Manager) belongings(s service.Spec) onefile.Belongings {
	d := place(s.ServiceName()).dirs
	return onefile.Belong(m.m.Tree, s, d, onefile.Folders(d))
}
