// Package launchd installs services of macOS: daemons of the machine, and agents of
// users.
//
// What launchd does not say in its manual is not relied upon: kickstart -k does not say
// how it ends a process, so that a restart is a stop that waits and a start. After
// bootout a job drains, and bootstrap fails for as long; who has to wait, waits here.
//
// A service that is not to start with the machine is disabled as launchd has it, which
// counts when it is loaded the next time: start enables it, loads it, and disables it
// again.
package launchd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/command"
	"github.com/go-glidepath/glidepath/internal/service/files"
	"github.com/go-glidepath/glidepath/internal/service/onefile"
	"github.com/go-glidepath/glidepath/internal/service/safe"
)

// nobody is who a daemon runs as that has no account: macOS has no accounts that come
// and go with a service, and nobody has no rights. Other services that run as nobody
// can read its files, so that a warning says so.
const nobody = "nobody"

// Manager is the service.Manager of macOS.
type Manager struct {
	m      service.Machine
	user   bool
	uid    int
	home   string
	temp   string
	getenv func(string) string
	safe   func(file string, user bool) error
	ids    func(account string) (onefile.Owner, error)
	chown  onefile.Chown
}

// New returns the manager of daemons of the machine m, or of agents of the user whose
// process this is.
func New(m service.Machine, ofUser bool) *Manager {
	home, _ := os.UserHomeDir()
	return &Manager{
		m: m, user: ofUser, uid: os.Getuid(), home: home, temp: os.TempDir(), getenv: os.Getenv,
		safe: safe.Executable, ids: ids,
	}
}

func ids(account string) (onefile.Owner, error) {
	u, err := user.Lookup(account)
	if err != nil {
		return onefile.Owner{}, err
	}
	uid, err1 := strconv.ParseInt(u.Uid, 10, 64)
	gid, err2 := strconv.ParseInt(u.Gid, 10, 64)
	return onefile.Owner{UID: int(uid), GID: int(gid)}, errors.Join(err1, err2)
}

// Name implements service.Manager.
func (m *Manager) Name() string { return "launchd" }

// layout is where the parts of a service are.
type layout struct {
	plist, log string
	dirs       dirs.Dirs
}

func (m *Manager) layout(name string) layout {
	if m.user {
		l := layout{
			plist: m.home + "/Library/LaunchAgents/" + name + ".plist",
			log:   m.home + "/Library/Logs/" + name + ".log",
			dirs:  dirs.User("darwin", name, m.home, m.temp, m.getenv),
		}
		l.dirs.Runtime = l.dirs.State + "/runtime"
		return l
	}
	l := layout{
		plist: "/Library/LaunchDaemons/" + name + ".plist",
		// Not in the folder of the service, whose account could put a link in its place
		// and have launchd write through it.
		log:  "/Library/Logs/" + name + ".log",
		dirs: dirs.System("darwin", name, m.getenv),
	}
	// /var/run is empty after each start of the machine, and nobody makes a folder there
	// before the service starts.
	l.dirs.Runtime = l.dirs.State + "/runtime"
	return l
}

// folders are those of the service; of a user all belong to the user.
func (m *Manager) folders(l layout) []onefile.Folder {
	folders := onefile.Folders(l.dirs)
	if m.user {
		for i := range folders {
			folders[i].Root = false
		}
	}
	return folders
}

func (m *Manager) account(s service.Spec) string {
	if m.user {
		return ""
	}
	return onefile.User(s, nobody)
}

func (m *Manager) file(s service.Spec, l layout) onefile.File {
	return onefile.File{Path: l.plist, Mode: 0o644, Text: render(s, m.account(s), l), Theirs: kardianos}
}

// kardianos knows the property lists of kardianos/service v1.3.0 by their first keys
// and by one that hardly anybody else writes.
func kardianos(text string) bool {
	return strings.Contains(text, "<dict>\n\t<key>Disabled</key>\n\t<false/>\n") && strings.Contains(text, "\t<key>SessionCreate</key>\n")
}

// Plan implements service.Manager.
func (m *Manager) Plan(_ context.Context, s service.Spec, force bool) (*service.Plan, error) {
	name := s.ServiceName()
	if m.user && m.uid == 0 {
		return nil, fmt.Errorf("%w: root has no agents; run it as the user whose service it is, without sudo", service.ErrNotSupported)
	}
	if m.user && m.home == "" {
		return nil, fmt.Errorf("%w: nobody knows where your home is: set HOME", service.ErrNotSupported)
	}
	if err := legal(s); err != nil {
		return nil, err
	}
	l := m.layout(name)
	p := &service.Plan{Spec: s}
	if err := onefile.CheckExecutable(p, m.m.Tree, m.safe, force); err != nil {
		return nil, err
	}
	if err := m.file(s, l).Compare(p, m.m.Tree, force); err != nil {
		return nil, err
	}
	onefile.PlanFolders(p, m.m.Tree, m.folders(l))
	p.Calls = []string{"launchctl " + m.enabling(s) + " " + m.target(name, "DOMAIN")}
	p.Warnings = append(p.Warnings, m.warnings(s)...)
	if m.account(s) != "" {
		owner, err := m.ids(m.account(s))
		if err != nil {
			p.Warnings = append(p.Warnings, fmt.Sprintf("Account: there is no %s yet; make it before the installation", m.account(s)))
		} else {
			p.Warnings = append(p.Warnings, onefile.Strangers(m.m.Tree, m.folders(l), m.account(s), owner.UID)...)
		}
	}
	return p, nil
}

// enabling is the verb by which launchctl is told whether the service starts with the
// machine.
func (m *Manager) enabling(s service.Spec) string {
	if onefile.ByHand(s) {
		return "disable"
	}
	return "enable"
}

func (m *Manager) warnings(s service.Spec) []string {
	lines := onefile.Lacks("launchd", s, "Recovery", "Recovery.CrashOnly", "Limits.OpenFiles", "Hardening.Profile LowPorts")
	if !m.user && s.Account == "" {
		lines = append(lines, "Account: macOS makes none for a service; it runs as nobody, and other services that do can read its files; a role account of its own (sysadminctl -addUser _NAME -roleAccount) is better")
	}
	if s.Recovery.CrashOnly && !s.Recovery.Never {
		return append(lines, "Recovery.CrashOnly: launchd takes only an end by a signal for a crash; a panic of Go, which is exit code 2, leaves it stopped")
	}
	if !s.Recovery.Never {
		lines = append(lines, "Recovery: launchd restarts it for ever also after exit code 78 (wrong configuration)")
	}
	return lines
}

// domain is where launchd has the service. A user who has no graphical session has
// another one.
func (m *Manager) domain(ctx context.Context) string {
	if !m.user {
		return "system"
	}
	gui := "gui/" + strconv.Itoa(m.uid)
	if _, err := m.launchctl(ctx, "print", gui); err != nil {
		return "user/" + strconv.Itoa(m.uid)
	}
	return gui
}

// target is the service as launchctl wants it. For people DOMAIN stands for what only
// asking would tell.
func (m *Manager) target(name, domain string) string {
	if domain == "DOMAIN" {
		domain = "system"
		if m.user {
			domain = "gui/" + strconv.Itoa(m.uid)
		}
	}
	return domain + "/" + name
}

func (m *Manager) launchctl(ctx context.Context, args ...string) (string, error) {
	return m.m.Runner()(ctx, "launchctl", args...)
}

// Apply implements service.Manager.
func (m *Manager) Apply(ctx context.Context, p *service.Plan) error {
	s := p.Spec
	name := s.ServiceName()
	l := m.layout(name)
	doing := "install " + name
	if !m.user && m.uid != 0 {
		return fmt.Errorf("%s: %w: run it as root (sudo), or install it for yourself alone (--user)", doing, service.ErrPermission)
	}
	owner := onefile.Owner{UID: m.uid, GID: os.Getgid()}
	if account := m.account(s); account != "" {
		var err error
		if owner, err = m.ids(account); err != nil {
			return fmt.Errorf("%s: there is no account %s; make it first: %w", doing, account, err)
		}
	}
	return onefile.Install(m.m.Tree, name, func(c *files.Change) error { return m.apply(ctx, c, s, l, owner) })
}

func (m *Manager) apply(ctx context.Context, c *files.Change, s service.Spec, l layout, owner onefile.Owner) error {
	if err := onefile.Make(c, m.m.Tree, m.folders(l), owner, m.chown); err != nil {
		return err
	}
	if !m.m.Tree.Exists(l.log) {
		if err := c.Write(l.log, "", 0o600); err != nil {
			return err
		}
		if err := onefile.Give(m.m.Tree, l.log, owner, m.chown); err != nil {
			return err
		}
	}
	f := m.file(s, l)
	if err := c.Write(f.Path, f.Text, f.Mode); err != nil {
		return err
	}
	domain := m.domain(ctx)
	was, err := m.disabled(ctx, domain, s.ServiceName())
	if err != nil {
		return err
	}
	c.Call(func() error { return m.enable(context.WithoutCancel(ctx), domain, s.ServiceName(), !was) })
	return m.enable(ctx, domain, s.ServiceName(), !onefile.ByHand(s))
}

func (m *Manager) enable(ctx context.Context, domain, name string, enabled bool) error {
	verb := "disable"
	if enabled {
		verb = "enable"
	}
	_, err := m.launchctl(ctx, verb, domain+"/"+name)
	return err
}

// disabled reports whether launchd is told not to load the service.
func (m *Manager) disabled(ctx context.Context, domain, name string) (bool, error) {
	out, err := m.launchctl(ctx, "print-disabled", domain)
	if err != nil {
		return false, err
	}
	return disabledIn(out, name), nil
}

// Remove implements service.Manager.
func (m *Manager) Remove(ctx context.Context, s service.Spec, purge bool) ([]string, error) {
	name := s.ServiceName()
	l := m.layout(name)
	doing := "remove " + name
	domain := m.domain(ctx)
	j, err := m.print(ctx, domain, name)
	if err != nil {
		return nil, onefile.Refused(err, doing)
	}
	text, exists, err := m.m.Tree.Read(l.plist)
	if err != nil {
		return nil, onefile.Refused(err, doing)
	}
	if !exists && !j.loaded {
		return nil, fmt.Errorf("%s: %w", doing, service.ErrNotInstalled)
	}
	if exists && !service.Marked(text) && !kardianos(text) {
		return nil, fmt.Errorf("%s: %s %w; remove it by hand", doing, l.plist, service.ErrForeign)
	}
	if err := m.bootout(ctx, domain, name, text); err != nil {
		return nil, onefile.Refused(err, doing)
	}
	c := m.m.Tree.Begin()
	if err := c.Remove(l.plist); err != nil {
		return nil, onefile.Refused(errors.Join(err, c.Undo()), doing)
	}
	removed := slices.Clone(c.Done)
	// What is remembered of a name that is gone would count for the next of that name.
	if err := m.enable(ctx, domain, name, true); err != nil {
		return nil, onefile.Refused(errors.Join(err, c.Undo()), doing)
	}
	if err := c.Keep(); err != nil {
		return removed, err
	}
	if !purge {
		return removed, nil
	}
	gone, err := onefile.Purge(m.m.Tree, m.folders(l), l.log)
	return append(removed, gone...), onefile.Refused(err, doing)
}

// Start implements service.Manager.
func (m *Manager) Start(ctx context.Context, s service.Spec) error {
	name := s.ServiceName()
	l := m.layout(name)
	text, exists, err := m.m.Tree.Read(l.plist)
	switch {
	case err != nil:
		return onefile.Refused(err, "start "+name)
	case !exists:
		return fmt.Errorf("start %s: %w", name, service.ErrNotInstalled)
	}
	domain := m.domain(ctx)
	j, err := m.print(ctx, domain, name)
	if err != nil {
		return onefile.Refused(err, "start "+name)
	}
	if j.running() {
		return nil
	}
	if err := m.load(ctx, domain, name, l.plist, text); err != nil {
		return onefile.Refused(err, "start "+name)
	}
	return onefile.Supervised(ctx, m.m, name, func() (service.Status, error) { return m.status(ctx, domain, s) })
}

// load has launchd read the file and run what it says. A job that is loaded already and
// does not run may have been loaded from another file, and goes first.
func (m *Manager) load(ctx context.Context, domain, name, plist, text string) error {
	if err := m.bootout(ctx, domain, name, text); err != nil {
		return err
	}
	disabled, err := m.disabled(ctx, domain, name)
	if err != nil {
		return err
	}
	if disabled {
		if err := m.enable(ctx, domain, name, true); err != nil {
			return err
		}
	}
	err = m.bootstrap(ctx, domain, name, plist)
	if err == nil {
		err = m.kickstart(ctx, domain, name)
	}
	if disabled {
		err = errors.Join(err, m.enable(context.WithoutCancel(ctx), domain, name, false))
	}
	return err
}

// kickstart starts a job that loading has not started. launchd holds back what has
// failed before, and launchctl with it, so that it is not waited for to the end.
func (m *Manager) kickstart(ctx context.Context, domain, name string) error {
	j, err := m.print(ctx, domain, name)
	if err != nil || j.running() || j.runs > 0 {
		return err
	}
	short, cancel := context.WithTimeout(ctx, kickBound)
	defer cancel()
	_, err = m.launchctl(short, "kickstart", domain+"/"+name)
	if err != nil && short.Err() != nil && ctx.Err() == nil {
		return nil // the state will tell
	}
	return err
}

const (
	kickBound      = 10 * time.Second
	bootstrapBound = 20 * time.Second
	firstPause     = 100 * time.Millisecond
	longestPause   = 2 * time.Second
)

// bootstrap loads the job. While one of that name drains, launchd answers with error 5
// or 37; it is asked again then, ever more seldom.
func (m *Manager) bootstrap(ctx context.Context, domain, name, plist string) error {
	deadline := time.Now().Add(bootstrapBound)
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		_, err := m.launchctl(ctx, "bootstrap", domain, m.m.Tree.Path(plist))
		switch code := command.Code(err); {
		case err == nil:
			return nil
		case code != 5 && code != 17 && code != 37:
			return explain(err, domain, name, plist)
		}
		if j, perr := m.print(ctx, domain, name); perr == nil && j.loaded && !j.leaving() {
			return nil // somebody was faster
		}
		if time.Now().After(deadline) {
			return explain(err, domain, name, plist)
		}
		m.m.Waiting(name + ": launchd is still busy with it")
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return context.Cause(ctx)
		}
	}
}

// explain says in words what launchd says in numbers.
func explain(err error, domain, name, plist string) error {
	why := map[int]string{
		5:   "launchd takes the file for wrong, or has not let go of the job before it; plutil -lint " + plist + " checks the file",
		37:  "launchd is still busy with the job before it; try again in a minute",
		112: "there is no such domain as " + domain,
		119: "it is disabled; launchctl enable " + domain + "/" + name,
		122: "the file has to belong to root, and nobody else may write to it",
		125: "the domain " + domain + " cannot have it: for a service of a user, run it as that user, without sudo",
	}[command.Code(err)]
	if why == "" {
		return err
	}
	return fmt.Errorf("%w: %s", err, why)
}

// bootout unloads the job, which stops it, and returns when it is gone. It takes as
// long as the service may take to stop, by what its file says.
func (m *Manager) bootout(ctx context.Context, domain, name, text string) error {
	j, err := m.print(ctx, domain, name)
	if err != nil || !j.loaded {
		return err
	}
	m.m.Waiting(name + " stops")
	// 36 is that it goes on by itself, 3 and 113 that it is gone.
	if _, err := m.launchctl(ctx, "bootout", domain+"/"+name); err != nil && !slices.Contains([]int{3, 36, 113}, command.Code(err)) {
		return explain(err, domain, name, "")
	}
	bound := exitTimeout(text) + onefile.Margin
	err = onefile.Await(ctx, firstPause, bound, func() (bool, error) {
		j, err := m.print(ctx, domain, name)
		return !j.loaded, err
	})
	if errors.Is(err, onefile.ErrLate) {
		return fmt.Errorf("launchd still has the job %s after %s", name, bound)
	}
	return err
}

// Stop implements service.Manager. The job is unloaded, as launchd would restart it
// otherwise; it is loaded again with the machine, or by Start.
func (m *Manager) Stop(ctx context.Context, s service.Spec) error {
	name := s.ServiceName()
	l := m.layout(name)
	domain := m.domain(ctx)
	text, exists, err := m.m.Tree.Read(l.plist)
	if err != nil {
		return onefile.Refused(err, "stop "+name)
	}
	j, err := m.print(ctx, domain, name)
	if err != nil {
		return onefile.Refused(err, "stop "+name)
	}
	if !exists && !j.loaded {
		return fmt.Errorf("stop %s: %w", name, service.ErrNotInstalled)
	}
	return onefile.Refused(m.bootout(ctx, domain, name, text), "stop "+name)
}

// Restart implements service.Manager. What runs then is what the file says now.
func (m *Manager) Restart(ctx context.Context, s service.Spec) error {
	if !m.m.Tree.Exists(m.layout(s.ServiceName()).plist) {
		return fmt.Errorf("restart %s: %w", s.ServiceName(), service.ErrNotInstalled)
	}
	return onefile.Restart(ctx, m, s)
}

// Reload implements service.Manager.
func (m *Manager) Reload(ctx context.Context, s service.Spec) error {
	name := s.ServiceName()
	domain := m.domain(ctx)
	st, err := m.status(ctx, domain, s)
	switch {
	case err != nil:
	case st.State == service.NotInstalled:
		err = service.ErrNotInstalled
	case st.State != service.Running:
		err = service.ErrNotRunning
	default:
		_, err = m.launchctl(ctx, "kill", "SIGHUP", domain+"/"+name)
	}
	return onefile.Refused(err, "reload "+name)
}

// Pause implements service.Manager.
func (m *Manager) Pause(context.Context, service.Spec) error { return onefile.NoPause("launchd") }

// Continue implements service.Manager.
func (m *Manager) Continue(context.Context, service.Spec) error { return onefile.NoPause("launchd") }

// Logs implements service.Manager.
func (m *Manager) Logs(ctx context.Context, s service.Spec, q service.LogQuery, w io.Writer) error {
	return onefile.Log(ctx, m.m.Tree, m.layout(s.ServiceName()).log, q, w)
}
