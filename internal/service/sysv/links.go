package sysv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
	"github.com/go-glidepath/glidepath/internal/service/initd"
)

var (
	startLevels = []string{"2", "3", "4", "5"}
	stopLevels  = []string{"0", "1", "6"}
)

// linksName is what the links are called in a plan.
func (m *Manager) linksName() string {
	if m.variant == RCS {
		return "link for rcS"
	}
	return "runlevels"
}

// folders are where links may be.
func (m *Manager) folders() []string {
	if m.variant == RCS {
		return []string{"/etc/rc.d", "/etc/init.d"}
	}
	var all []string
	for _, parent := range []string{"/etc", "/etc/rc.d"} { // the second is that of Red Hat and its cousins
		if parent == "/etc/rc.d" && m.m.Tree.Link("/etc/rc2.d") != "" {
			continue // they lead to one another
		}
		for _, level := range append(slices.Clone(startLevels), stopLevels...) {
			if dir := path.Join(parent, "rc"+level+".d"); m.m.Tree.Exists(dir) {
				all = append(all, dir)
			}
		}
	}
	return all
}

// places are files in the folders where an installation makes some.
func (m *Manager) places(l initd.Layout) []string {
	all := []string{l.Script, pidFile(l)}
	for _, dir := range m.folders() {
		all = append(all, path.Join(dir, l.Name))
	}
	return all
}

// removeRemains removes links to a script that is not there: an uninstall that was killed
// has left them.
func (m *Manager) removeRemains(name string) {
	for _, p := range m.links(name) {
		to := m.m.Tree.Link(p)
		if !path.IsAbs(to) {
			to = path.Join(path.Dir(p), to)
		}
		if !m.m.Tree.Exists(to) {
			_ = os.Remove(m.m.Tree.Path(p)) // for want of rights, it stays
		}
	}
}

// links are those that lead to the script: S50web, K02web.
func (m *Manager) links(name string) []string {
	var found []string
	for _, dir := range m.folders() {
		entries, err := os.ReadDir(m.m.Tree.Path(dir))
		if err != nil {
			continue
		}
		for _, e := range entries {
			n := e.Name()
			if len(n) != len(name)+3 || n[3:] != name || n[0] != 'S' && n[0] != 'K' {
				continue
			}
			p := path.Join(dir, n)
			if to := m.m.Tree.Link(p); to != "" && path.Base(to) == name {
				found = append(found, p)
			}
		}
	}
	return found
}

// starts reports whether one of the links starts the service.
func (m *Manager) starts(links []string) bool {
	return slices.ContainsFunc(links, func(p string) bool { return strings.HasPrefix(base(p), "S") })
}

// text is what links are, without the numbers that the tools have given them. Those of
// kardianos/service are told apart: their numbers are nobody's.
func (m *Manager) text(links []string) string {
	if m.leftBehind(links) {
		return strings.Join(links, "\n") + "\n"
	}
	return text(links)
}

func text(links []string) string {
	var b strings.Builder
	for _, p := range links {
		b.WriteString(map[byte]string{'S': "start", 'K': "stop"}[base(p)[0]] + " in " + path.Dir(p) + "\n")
	}
	return b.String()
}

// wanted is the text of the links that a service is to have. On a machine where others
// make them, those that there are will do if they start and stop it as it should be. Those
// of a service that is not installed are what an uninstall that was killed has left.
func (m *Manager) wanted(s service.Spec, now []string, installed bool) string {
	if m.variant == RCS {
		if !starts(s) {
			return ""
		}
		return text([]string{m.rcsLink(initd.Of(s).Name)})
	}
	if installed && len(now) > 0 && m.starts(now) == starts(s) && !m.leftBehind(now) {
		return text(now)
	}
	var links []string
	for _, dir := range m.folders() {
		switch level := strings.TrimSuffix(strings.TrimPrefix(base(dir), "rc"), ".d"); {
		case slices.Contains(stopLevels, level):
			links = append(links, dir+"/K20")
		case starts(s):
			links = append(links, dir+"/S80")
		}
	}
	return text(links)
}

// leftBehind reports whether links are those of kardianos/service.
func (m *Manager) leftBehind(links []string) bool {
	return slices.ContainsFunc(links, func(p string) bool { return strings.HasPrefix(base(p), "K02") && path.IsAbs(m.m.Tree.Link(p)) })
}

// rcsLink is where rcS looks for what it starts.
func (m *Manager) rcsLink(name string) string {
	text, _, _ := m.m.Tree.Read("/etc/init.d/rcS")
	if strings.Contains(text, "/etc/rc.d/") {
		return "/etc/rc.d/S50" + name
	}
	return "/etc/init.d/S50" + name
}

// register makes the links that s wants, unless they are there.
func (m *Manager) register(ctx context.Context, c *files.Change, plan *service.Plan, name string) error {
	s := plan.Spec
	for _, p := range m.places(initd.Of(s)) {
		c.Sweep(path.Dir(p))
	}
	now := m.links(name)
	if m.text(now) == m.wanted(s, now, plan.Installed) {
		return nil
	}
	for _, p := range now {
		if err := c.Remove(p); err != nil {
			return err
		}
	}
	if m.variant == RCS {
		if !starts(s) {
			return nil
		}
		return c.Symlink(m.rcsLink(name), initd.Of(s).Script)
	}
	c.Call(func() error { // what the tools have made; the links from before come back by themselves
		var errs []error
		for _, p := range m.links(name) {
			errs = append(errs, os.Remove(m.m.Tree.Path(p)))
		}
		return errors.Join(errs...)
	})
	for _, tool := range [][]string{
		{"update-rc.d", name, "defaults"},
		{"chkconfig", "--add", name},
		{"insserv", name},
	} {
		_, err := m.m.Runner()(ctx, tool[0], tool[1:]...)
		if !notThere(err) {
			return errors.Join(err, m.incomplete(s, tool[0], name))
		}
	}
	for _, dir := range m.folders() {
		link := dir + "/S80" + name
		if level := strings.TrimSuffix(strings.TrimPrefix(base(dir), "rc"), ".d"); slices.Contains(stopLevels, level) {
			link = dir + "/K20" + name
		} else if !starts(s) {
			continue
		}
		if err := c.Symlink(link, "../init.d/"+name); err != nil {
			return err
		}
	}
	return nil
}

// incomplete is an error if a tool has not made the links that start the service: insserv
// for one does not say so when the disk is full.
func (m *Manager) incomplete(s service.Spec, tool, name string) error {
	have := text(m.links(name))
	for line := range strings.Lines(m.wanted(s, nil, false)) {
		if where, ok := strings.CutPrefix(line, "start in "); ok && !strings.Contains(have, line) {
			return fmt.Errorf("%s has made no link to the script in %s: is the disk full, or read-only?", tool, strings.TrimSpace(where))
		}
	}
	return nil
}

// unregister has the tools forget the service. Links that are left are the caller's.
func (m *Manager) unregister(ctx context.Context, name string) error {
	if m.variant == RCS {
		return nil
	}
	for _, tool := range [][]string{
		{"update-rc.d", "-f", name, "remove"},
		{"chkconfig", "--del", name},
		{"insserv", "-r", name},
	} {
		_, err := m.m.Runner()(ctx, tool[0], tool[1:]...)
		if !notThere(err) {
			return err
		}
	}
	return nil
}
