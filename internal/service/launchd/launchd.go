// Package launchd installs services of macOS: daemons of the machine, and agents of
// users.
//
// What launchd does not say in its manual is not relied upon: kickstart -k does not say
// how it ends a process, so that a restart is a stop that waits and a start. After
// bootout a job drains, and bootstrap fails for as long; who has to wait, waits here.
//
// What a service logs goes to its standard output, and from there to a file in
// /Library/Logs (~/Library/Logs for an agent), which the Console shows. macOS still
// listens at /var/run/syslog, but since 12 nothing that programs without libSystem send
// there gets into its log (golang/go#59229), and the log itself can only be written to
// by way of libSystem, which needs cgo.
//
// A service that is not to start with the machine is disabled as launchd has it, which
// counts when it is loaded the next time: start enables it, loads it, and disables it
// again.
package launchd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/onefile"
	"github.com/go-glidepath/glidepath/internal/service/system/safe"
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

// Folders implements service.Located.
func (m *Manager) Folders(s service.Spec) dirs.Dirs { return m.layout(s.ServiceName()).dirs }

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
	return onefile.File{Path: l.plist, Mode: 0o644, Text: render(s, m.account(s), l), Theirs: kardianos, Lost: func(old string) []string { return lost(old, s, m.account(s)) }}
}

// kardianos knows the property lists of kardianos/service v1.3.0 by their first keys
// and by one that hardly anybody else writes.
func kardianos(text string) bool {
	return strings.Contains(text, "<dict>\n\t<key>Disabled</key>\n\t<false/>\n") && strings.Contains(text, "\t<key>SessionCreate</key>\n")
}

// Plan implements service.Manager.
func (m *Manager) Plan(ctx context.Context, s service.Spec, force bool) (*service.Plan, error) {
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
	if err := m.belongings(s).Check(p, force); err != nil {
		return nil, err
	}
	onefile.PlanFolders(p, m.m.Tree, m.folders(l))
	enable := !onefile.ByHand(s)
	if p.Installed {
		was, err := m.disabled(ctx, m.domain(ctx), name)
		if err != nil {
			return nil, onefile.Refused(err, "install "+name)
		}
		// One that is loaded starts by itself only if its file says so, too.
		if was && m.belongings(s).Stays(p, false) {
			enable = false
		}
	}
	m.belongings(s).PlanStart(p)
	p.Private = enable
	p.Calls = []string{"launchctl " + enabling(enable) + " " + m.target(name, "DOMAIN")}
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
func enabling(enabled bool) string {
	if enabled {
		return "enable"
	}
	return "disable"
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

const (
	kickBound      = 10 * time.Second
	bootstrapBound = 20 * time.Second
	firstPause     = 100 * time.Millisecond
	longestPause   = 2 * time.Second
)

// Launches implements service.Launcher.
func (m *Manager) Launches(_ context.Context, s service.Spec) (string, error) {
	text, _, err := m.m.Tree.Read(m.layout(s.ServiceName()).plist)
	return launched(text), err
}
