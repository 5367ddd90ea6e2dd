// Package kardianos is the only one that knows kardianos/service. It hands over to it
// where this project has no templates of its own: Upstart on Linux, and the system
// resource controller (SRC) of AIX.
//
// What kardianos/service would write without quoting is refused before anything
// happens, and what its templates do not carry is a warning. It knows no update, leaves
// behind what it has begun when it fails, and loses what the tools say; that is made up
// for here.
package kardianos

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	kardianos "github.com/kardianos/service"

	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/account"
	"github.com/go-glidepath/glidepath/internal/service/files"
	"github.com/go-glidepath/glidepath/internal/service/onefile"
	"github.com/go-glidepath/glidepath/internal/service/safe"
)

// What kardianos/service calls Upstart, and the controller of AIX.
const (
	upstart = "linux-upstart"
	src     = "aix-ssrc"
)

// control is what is used of a service of kardianos/service.
type control interface {
	Install() error
	Start() error
	Stop() error
	Status() (kardianos.Status, error)
}

// Manager is the service.Manager of Upstart and of AIX.
type Manager struct {
	m      service.Machine
	system string // upstart or src
	uid    int
	open   func(system string, c *kardianos.Config) (control, error)
	safe   func(file string, user bool) error
	chown  onefile.Chown
}

// New returns the manager of services of the machine m: of Upstart, or of AIX in a
// program for AIX.
func New(m service.Machine) *Manager {
	system := upstart
	if runtime.GOOS == "aix" {
		system = src
	}
	return &Manager{m: m, system: system, uid: os.Geteuid(), open: open, safe: safe.Executable}
}

// open asks kardianos/service for a service of one of its systems, whichever it has
// chosen itself.
func open(system string, c *kardianos.Config) (control, error) {
	for _, s := range kardianos.AvailableSystems() {
		if s.String() == system {
			return s.New(nil, c) // the program is needed by Run alone
		}
	}
	return nil, fmt.Errorf("%w: kardianos/service has no %s on %s", service.ErrNotSupported, system, runtime.GOOS)
}

// Name implements service.Manager.
func (m *Manager) Name() string {
	if m.system == src {
		return "AIX SRC"
	}
	return "Upstart"
}

// paths are what Install makes: the file first, and links to it.
func (m *Manager) paths(name string) []string {
	if m.system != src {
		return []string{"/etc/init/" + name + ".conf"}
	}
	all := []string{"/etc/rc.d/init.d/" + name}
	rc := "/etc/rc"
	if m.m.Tree.Exists("/etc/rc.d/rc2.d") {
		rc = "/etc/rc.d/rc"
	}
	for _, level := range []string{"2", "3"} {
		all = append(all, rc+level+".d/S50"+name, rc+level+".d/K02"+name)
	}
	return all
}

func (m *Manager) file(name string) string { return m.paths(name)[0] }

// folders are those of the service. Nobody makes one in /run before the service starts.
func folders(name string) dirs.Dirs {
	d := dirs.System("linux", name, os.Getenv)
	d.Runtime = d.State + "/runtime"
	return d
}

func (m *Manager) account(s service.Spec) string {
	return onefile.User(s, account.Name(s.ServiceName()))
}

// config is what kardianos/service is told. Neither template has an environment, and
// both write the path of the executable without quotes, so that env(1) is what runs.
func (m *Manager) config(s service.Spec) *kardianos.Config {
	name := s.ServiceName()
	d := folders(name)
	c := &kardianos.Config{
		Name: name, DisplayName: s.DisplayName, Executable: "/usr/bin/env", WorkingDirectory: s.Directory,
		Option: kardianos.KeyValue{"LogOutput": true, "LogDirectory": d.Logs},
	}
	for _, v := range onefile.Environment(s, d) {
		c.Arguments = append(c.Arguments, v.Name+"="+v.Value)
	}
	c.Arguments = append(append(c.Arguments, s.Executable), s.Args...)
	if a := m.account(s); a != "root" {
		c.UserName = a
	}
	c.Description = fmt.Sprintf("%s; %s %s%s", s.Description, service.Mark, settings, hash(c))
	return c
}

// settings stands before the hash of what a file was made from: kardianos/service does
// not say what it would write.
const settings = "Settings "

func hash(c *kardianos.Config) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %q", c.DisplayName, c.UserName, c.Arguments, c.WorkingDirectory, c.Option["LogDirectory"]))
	return hex.EncodeToString(sum[:6])
}

// listing is what is shown of a file that kardianos/service is to write.
func (m *Manager) listing(c *kardianos.Config) string {
	var b strings.Builder
	fmt.Fprintf(&b, "written by kardianos/service v1.3.0 for %s from\n", m.Name())
	fmt.Fprintf(&b, "  name        %s\n  description %s\n", c.Name, c.Description)
	if c.UserName != "" {
		fmt.Fprintf(&b, "  user        %s\n", c.UserName)
	}
	if c.WorkingDirectory != "" {
		fmt.Fprintf(&b, "  directory   %s\n", c.WorkingDirectory)
	}
	for _, a := range append([]string{c.Executable}, c.Arguments...) {
		fmt.Fprintf(&b, "  runs        %s\n", a)
	}
	return b.String()
}

// legal refuses what the templates would not write as it is.
func (m *Manager) legal(s service.Spec) error {
	var errs []error
	refuse := func(field, value, characters string) {
		if strings.ContainsAny(value, characters) {
			errs = append(errs, fmt.Errorf("%w: %s is %q: %s cannot carry any of %s", service.ErrSpec, field, value, m.Name(), characters))
		}
	}
	quoted, bare := "\"$`\\%", " \t\"'$`\\%&|;<>()#*?[]~!{}"
	words := quoted
	if m.system == src {
		words = bare
		if len(s.ServiceName()) > 30 {
			errs = append(errs, fmt.Errorf("%w: Name %s is longer than the 30 characters that AIX takes", service.ErrSpec, s.ServiceName()))
		}
		if !s.Root() {
			errs = append(errs, fmt.Errorf("%w: Account is %q, but kardianos/service has AIX run everything as root: say so (Account: LocalSystem) if the service may have all rights", service.ErrSpec, s.Account))
		}
		if slices.Contains(s.Args, "") {
			errs = append(errs, fmt.Errorf("%w: Arguments have an empty one, which AIX cannot carry", service.ErrSpec))
		}
	}
	refuse("Executable", s.Executable, words+"=") // env(1) would take it for a variable
	for _, a := range s.Args {
		refuse("Arguments", a, words)
	}
	for _, v := range service.Vars(s.Environment) {
		refuse("Environment["+v.Name+"]", v.Value, words)
	}
	refuse("DisplayName", s.DisplayName, quoted)
	refuse("WorkingDirectory", s.Directory, bare)
	refuse("Account", s.Account, bare)
	return errors.Join(errs...)
}

// theirs knows the files of kardianos/service v1.3.0. On AIX nothing of ours is in
// them, so that those of ours and of others are the same.
func (m *Manager) theirs(name string) func(text string) bool {
	if m.system == src {
		return func(text string) bool {
			return strings.HasPrefix(text, "#!/bin/ksh\ncase \"$1\" in\nstart)\n") && strings.Contains(text, "startsrc -s "+name+"\n")
		}
	}
	return func(text string) bool {
		return strings.Contains(text, "\nrespawn limit 10 5\numask 022\n") && strings.Contains(text, "if [ -f \"/etc/sysconfig/"+name+"\" ]; then")
	}
}

// Plan implements service.Manager.
func (m *Manager) Plan(ctx context.Context, s service.Spec, force bool) (*service.Plan, error) {
	if err := m.legal(s); err != nil {
		return nil, err
	}
	p := &service.Plan{Spec: s}
	if err := onefile.CheckExecutable(p, m.m.Tree, m.safe, force); err != nil {
		return nil, err
	}
	name := s.ServiceName()
	c := m.config(s)
	f := onefile.File{Path: m.file(name), Mode: 0o644, Text: m.listing(c), Theirs: m.theirs(name)}
	if m.system == src {
		f.Mode = 0o755
	}
	if err := f.Compare(p, m.m.Tree, force); err != nil {
		return nil, err
	}
	if a := &p.Artefacts[0]; a.Present && strings.Contains(a.Old, settings+hash(c)+"\n") {
		a.Old = a.New
	}
	onefile.PlanFolders(p, m.m.Tree, onefile.Folders(folders(name)))
	if m.system == src {
		p.Calls = []string{"kardianos/service runs mkssys -s " + name + " -p " + c.Executable + " -a '" + strings.Join(c.Arguments, " ") + "'"}
		if p.Installed {
			p.Calls = append([]string{"rmssys -s " + name}, p.Calls...)
		}
	} else if a, exists, err := account.Find(ctx, m.m, m.account(s)); err == nil && exists {
		p.Warnings = append(p.Warnings, onefile.Strangers(m.m.Tree, onefile.Folders(folders(name)), m.account(s), a.UID)...)
	} else if err == nil && s.Account == "" {
		p.Calls = append(p.Calls, "useradd "+m.account(s))
	}
	p.Calls = append(p.Calls, "kardianos/service writes "+f.Path)
	p.Warnings = append(p.Warnings, m.lacks(s)...)
	return p, nil
}

func (m *Manager) lacks(s service.Spec) []string {
	if m.system == src {
		lines := onefile.Lacks(m.Name(), s, "Recovery.Delays", "Recovery")
		if !s.Recovery.Never {
			lines = append(lines, "Recovery: kardianos/service has AIX restart it at most once in a while (-R); how often is not ours to say")
		}
		if s.Directory != "" {
			lines = append(lines, "WorkingDirectory: kardianos/service does not hand it on; it works in /")
		}
		if s.StopTimeout > 30*time.Second {
			lines = append(lines, "StopTimeout: AIX kills it after 30 s (-w 30)")
		}
		if onefile.ByHand(s) {
			lines = append(lines, "StartType: kardianos/service links it into the runlevels; it starts with the machine")
		}
		return append(lines, "the umask is not set, and what it logs goes to /dev/null: have it log to a file")
	}
	lines := onefile.Lacks(m.Name(), s, "Recovery.Delays")
	lines = append(lines, fmt.Sprintf("StopTimeout: kardianos/service sets no kill timeout; Upstart kills it after 5 s, not %s", s.StopTimeout))
	if s.Recovery.Never {
		lines = append(lines, "Recovery.Never: kardianos/service has it restarted all the same")
	} else {
		lines = append(lines, "Recovery.Delays: Upstart has none; it restarts it at once, and gives it up after 10 times in 5 s")
	}
	if onefile.ByHand(s) {
		lines = append(lines, "StartType: kardianos/service has it started with the machine; echo manual >/etc/init/"+s.ServiceName()+".override changes that")
	}
	return append(lines, "the umask is 022, and not 077: files of the service are readable outside its folders")
}

// Apply implements service.Manager.
func (m *Manager) Apply(ctx context.Context, p *service.Plan) error {
	s := p.Spec
	doing := "install " + s.ServiceName()
	if m.uid != 0 {
		return fmt.Errorf("%s: %w: run it as root (sudo)", doing, service.ErrPermission)
	}
	if err := m.legal(s); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if !p.Artefacts[0].Changed() { // kardianos/service would refuse to write what is there
		return nil
	}
	return onefile.Install(m.m.Tree, s.ServiceName(), func(c *files.Change) error { return m.apply(ctx, c, s) })
}

func (m *Manager) apply(ctx context.Context, c *files.Change, s service.Spec) error {
	name := s.ServiceName()
	late := context.WithoutCancel(ctx)
	k, err := m.open(m.system, m.config(s))
	if err != nil {
		return err
	}
	owner, err := onefile.Account(ctx, m.m, c, s, s.Account, " (useradd)")
	if err != nil {
		return err
	}
	if err := onefile.Make(c, m.m.Tree, onefile.Folders(folders(name)), owner, m.chown); err != nil {
		return err
	}
	if m.system == src && m.m.Tree.Exists(m.file(name)) {
		st, err := m.Status(ctx, s)
		if err != nil {
			return err
		}
		if st.State != service.Stopped {
			return fmt.Errorf("it is %s, and AIX changes nothing that runs: stop it first", st.State)
		}
		if err := m.unregister(ctx, c, name); err != nil {
			return err
		}
	}
	// It refuses to write a file that is there, and links as well.
	for _, path := range slices.Backward(m.paths(name)) {
		if err := c.Remove(path); err != nil {
			return err
		}
	}
	c.Call(func() error { // whatever it has made before it failed
		var errs []error
		if m.system == src {
			_, err := m.m.Runner()(late, "rmssys", "-s", name)
			_ = err // it may not have come so far
		}
		for _, path := range m.paths(name) {
			if m.m.Tree.Exists(path) {
				errs = append(errs, os.Remove(m.m.Tree.Path(path)))
			}
		}
		return errors.Join(errs...)
	})
	if err := k.Install(); err != nil {
		return fmt.Errorf("kardianos/service: %w", err)
	}
	text, exists, err := m.m.Tree.Read(m.file(name))
	if err != nil || !exists || text == "" {
		return errors.Join(fmt.Errorf("kardianos/service says that it has written %s, but it is not there, or empty", m.file(name)), err)
	}
	return nil
}

// unregister removes the subsystem, and has it made again if what follows fails.
func (m *Manager) unregister(ctx context.Context, c *files.Change, name string) error {
	out, err := m.m.Runner()(ctx, "odmget", "-q", "subsysname="+name, "SRCsubsys")
	if err != nil {
		return err
	}
	path, args := odm(out, "path"), odm(out, "cmdargs")
	c.Call(func() error {
		_, err := m.m.Runner()(context.WithoutCancel(ctx), "mkssys", "-s", name, "-p", path, "-a", args, "-u", "0", "-R", "-Q", "-S", "-n", "15", "-f", "9", "-d", "-w", "30")
		return err
	})
	_, err = m.m.Runner()(ctx, "rmssys", "-s", name)
	return err
}

// odm reads an attribute of what odmget prints: name = "value".
func odm(out, name string) string {
	for line := range strings.Lines(out) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), " = ")
		if ok && key == name {
			return strings.Trim(value, `"`)
		}
	}
	return ""
}

// Remove implements service.Manager. Uninstall of kardianos/service is not used: on AIX
// it fails for what does not run, and leaves the links of the runlevels.
func (m *Manager) Remove(ctx context.Context, s service.Spec, purge bool) ([]string, error) {
	name := s.ServiceName()
	doing := "remove " + name
	f := onefile.File{Path: m.file(name), Theirs: m.theirs(name)}
	if err := f.Removable(m.m.Tree, doing); err != nil {
		return nil, err
	}
	if m.uid != 0 {
		return nil, fmt.Errorf("%s: %w: run it as root (sudo)", doing, service.ErrPermission)
	}
	if err := m.Stop(ctx, s); err != nil {
		return nil, err
	}
	c := m.m.Tree.Begin()
	if m.system == src {
		if err := m.unregister(ctx, c, name); err != nil {
			return nil, onefile.Refused(errors.Join(err, c.Undo()), doing)
		}
	}
	for _, path := range slices.Backward(m.paths(name)) {
		if err := c.Remove(path); err != nil {
			return nil, onefile.Refused(errors.Join(err, c.Undo()), doing)
		}
	}
	removed := slices.Clone(c.Done)
	if err := c.Keep(); err != nil || !purge {
		return removed, err
	}
	var gone []string
	var err error
	if m.system == src {
		gone, err = onefile.Purge(m.m.Tree, onefile.Folders(folders(name)))
	} else {
		gone, err = onefile.PurgeAll(ctx, m.m, s, onefile.Folders(folders(name)))
	}
	return append(removed, gone...), onefile.Refused(err, doing)
}

// service opens the service for a verb that ends in a state. It is nil if that is so
// already.
func (m *Manager) service(ctx context.Context, s service.Spec, doing string, ends service.State) (control, error) {
	st, err := m.Status(ctx, s)
	switch {
	case err != nil:
		return nil, err
	case st.State == service.NotInstalled:
		return nil, fmt.Errorf("%s: %w", doing, service.ErrNotInstalled)
	case st.State == ends:
		return nil, nil
	}
	if m.uid != 0 {
		return nil, fmt.Errorf("%s: %w: run it as root (sudo)", doing, service.ErrPermission)
	}
	k, err := m.open(m.system, m.config(s))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	return k, nil
}

// lost adds to an error of kardianos/service where to find what it has lost.
func (m *Manager) lost(err error, doing, name string) error {
	if err == nil {
		return nil
	}
	tool := "initctl status " + name
	if m.system == src {
		tool = "lssrc -s " + name
	}
	return onefile.Refused(fmt.Errorf("%w (kardianos/service; %s may tell more)", err, tool), doing)
}

// Start implements service.Manager.
func (m *Manager) Start(ctx context.Context, s service.Spec) error {
	name := s.ServiceName()
	doing := "start " + name
	k, err := m.service(ctx, s, doing, service.Running)
	if err != nil || k == nil {
		return err
	}
	if err := k.Start(); err != nil {
		return m.lost(err, doing, name)
	}
	return onefile.Supervised(ctx, m.m, name, func() (service.Status, error) { return m.Status(ctx, s) })
}

// Stop implements service.Manager.
func (m *Manager) Stop(ctx context.Context, s service.Spec) error {
	name := s.ServiceName()
	doing := "stop " + name
	k, err := m.service(ctx, s, doing, service.Stopped)
	if err != nil || k == nil {
		return err
	}
	m.m.Waiting(name + " stops")
	if err := k.Stop(); err != nil {
		return m.lost(err, doing, name)
	}
	const bound = time.Minute
	err = onefile.Await(ctx, 100*time.Millisecond, bound, func() (bool, error) {
		st, err := m.Status(ctx, s)
		return st.State == service.Stopped, err
	})
	if errors.Is(err, onefile.ErrLate) {
		return fmt.Errorf("%s has not stopped after %s", name, bound)
	}
	return err
}

// Restart implements service.Manager. That of kardianos/service keeps what Upstart has
// read before.
func (m *Manager) Restart(ctx context.Context, s service.Spec) error {
	return onefile.Restart(ctx, m, s)
}

// Reload implements service.Manager. kardianos/service has none.
func (m *Manager) Reload(ctx context.Context, s service.Spec) error {
	doing := "reload " + s.ServiceName()
	st, err := onefile.Reloadable(ctx, m, s)
	switch {
	case err != nil:
		return err
	case st.PID == 0:
		return fmt.Errorf("%s: %w", doing, service.ErrNotRunning)
	case m.uid != 0:
		return fmt.Errorf("%s: %w: run it as root (sudo)", doing, service.ErrPermission)
	}
	_, err = m.m.Runner()(ctx, "kill", "-HUP", strconv.Itoa(st.PID))
	return onefile.Refused(err, doing)
}

// Pause implements service.Manager.
func (m *Manager) Pause(context.Context, service.Spec) error { return onefile.NoPause(m.Name()) }

// Continue implements service.Manager.
func (m *Manager) Continue(context.Context, service.Spec) error { return onefile.NoPause(m.Name()) }

// Logs implements service.Manager. Upstart has the standard error in a file; of AIX
// there is none.
func (m *Manager) Logs(ctx context.Context, s service.Spec, q service.LogQuery, w io.Writer) error {
	name := s.ServiceName()
	if m.system == src {
		return fmt.Errorf("%w: AIX keeps nothing of what a service writes; see the file that it logs to itself", service.ErrNotSupported)
	}
	return onefile.Log(ctx, m.m.Tree, folders(name).Logs+"/"+name+".err", q, w)
}

// Diagnose implements service.Manager.
func (m *Manager) Diagnose(ctx context.Context, s service.Spec) []service.Finding {
	found := onefile.Examine(m.m.Tree, m.file(s.ServiceName()), s, m.safe)
	if len(found) == 1 {
		return found
	}
	if a := m.account(s); a != "root" {
		if _, exists, err := account.Find(ctx, m.m, a); err != nil || !exists {
			found = append(found, service.Finding{Level: service.Problem, What: "account", Detail: "there is no " + a, Remedy: "install the service anew"})
		}
	}
	return found
}
