package script

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/command"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
)

var (
	startLevels = []string{"2", "3", "4", "5"}
	stopLevels  = []string{"0", "1", "6"}
)

// linksName returns what the links are called in a plan.
func (d sysv) linksName() string {
	if d.rcs {
		return "link for rcS"
	}
	return "runlevels"
}

// folders returns where links may be.
func (d sysv) folders() []string {
	if d.rcs {
		return []string{"/etc/rc.d", "/etc/init.d"}
	}
	var all []string
	for _, parent := range []string{"/etc", "/etc/rc.d"} { // the second is that of Red Hat and its cousins
		if parent == "/etc/rc.d" && d.Tree.Link("/etc/rc2.d") != "" {
			continue // they lead to one another
		}
		for _, level := range append(slices.Clone(startLevels), stopLevels...) {
			if dir := path.Join(parent, "rc"+level+".d"); d.Tree.Exists(dir) {
				all = append(all, dir)
			}
		}
	}
	return all
}

func (d sysv) Places(s manage.Spec) []string {
	l := InitD(s)
	all := []string{l.File, pidFile(l.Name)}
	for _, dir := range d.folders() {
		all = append(all, path.Join(dir, l.Name))
	}
	return all
}

// RemoveRemains implements sweeper. It removes links to a script that does not exist.
func (d sysv) RemoveRemains(s manage.Spec) {
	for _, p := range d.Registered(s) {
		to := d.Tree.Link(p)
		if !path.IsAbs(to) {
			to = path.Join(path.Dir(p), to)
		}
		if !d.Tree.Exists(to) {
			_ = os.Remove(d.Tree.Path(p)) // without the rights, it stays
		}
	}
}

func (d sysv) Registered(s manage.Spec) []string { return d.links(InitD(s).Name, d.folders()...) }

// describe returns what links do, without the numbers that the tools have given them. Those
// of kardianos/service are named: their numbers are not those of a tool.
func (d sysv) describe(links []string) string {
	if d.leftBehind(links) {
		return strings.Join(links, "\n") + "\n"
	}
	return linksText(links)
}

func linksText(links []string) string {
	var b strings.Builder
	for _, p := range links {
		b.WriteString(map[byte]string{'S': "start", 'K': "stop"}[path.Base(p)[0]] + " in " + path.Dir(p) + "\n")
	}
	return b.String()
}

// wanted returns the text of the links that a service is to have. Those that exist will do if
// they start and stop it as it should be: tools have made them. Those of a service that is not
// installed are what an uninstall that was killed has left.
func (d sysv) wanted(s manage.Spec, now []string, installed bool) string {
	if d.rcs {
		if !manage.ByItself(s.StartType) {
			return ""
		}
		return linksText([]string{d.rcsLink(InitD(s).Name)})
	}
	if installed && len(now) > 0 && linksStart(now) == manage.ByItself(s.StartType) && !d.leftBehind(now) {
		return linksText(now)
	}
	return linksText(d.byHand(s, ""))
}

// byHand returns the links of a service called name where no tool makes them.
func (d sysv) byHand(s manage.Spec, name string) (links []string) {
	for _, dir := range d.folders() {
		switch level := strings.TrimSuffix(strings.TrimPrefix(path.Base(dir), "rc"), ".d"); {
		case slices.Contains(stopLevels, level):
			links = append(links, dir+"/K20"+name)
		case manage.ByItself(s.StartType):
			links = append(links, dir+"/S80"+name)
		}
	}
	return links
}

// leftBehind reports whether links are those of kardianos/service.
func (d sysv) leftBehind(links []string) bool {
	return slices.ContainsFunc(links, func(p string) bool { return strings.HasPrefix(path.Base(p), "K02") && path.IsAbs(d.Tree.Link(p)) })
}

// rcsLink returns where rcS looks for what it starts.
func (d sysv) rcsLink(name string) string {
	text, _, _ := d.Tree.Read("/etc/init.d/rcS")
	if strings.Contains(text, "/etc/rc.d/") {
		return "/etc/rc.d/S50" + name
	}
	return "/etc/init.d/S50" + name
}

// tools runs the first of these tools that exists, and returns its name, "" if none does.
func (d sysv) tools(ctx context.Context, lines ...[]string) (name string, err error) {
	for _, line := range lines {
		err := command.Retry(ctx, disturbed, func() error {
			_, err := d.Runner()(ctx, line[0], line[1:]...)
			return err
		})
		if !errors.Is(err, exec.ErrNotFound) && command.Code(err) != 127 {
			return line[0], err
		}
	}
	return "", nil
}

// disturbed reports whether a tool failed because another one changed the links of other
// services at the same time. insserv reads all of them, and cannot cope with that.
func disturbed(err error) bool {
	return strings.Contains(err.Error(), "insserv: ") && strings.Contains(err.Error(), "No such file or directory")
}

// Register implements Dialect. It makes the links that the service is to have.
func (d sysv) Register(ctx context.Context, c *files.Change, p *manage.Plan, todo any) error {
	s, name, now := p.Spec, InitD(p.Spec).Name, d.Registered(p.Spec)
	if !todo.(manage.Artefact).Changed() || d.describe(now) == d.wanted(s, now, p.Installed) {
		return nil
	}
	if err := removeAll(c, now); err != nil {
		return err
	}
	if d.rcs {
		if !manage.ByItself(s.StartType) {
			return nil
		}
		return c.Symlink(d.rcsLink(name), InitD(s).File)
	}
	c.Call(func() error { // what the tools have made; the links from before come back by themselves
		var errs []error
		for _, p := range d.Registered(s) {
			errs = append(errs, os.Remove(d.Tree.Path(p)))
		}
		return errors.Join(errs...)
	})
	tool, err := d.tools(ctx, []string{"update-rc.d", name, "defaults"}, []string{"chkconfig", "--add", name}, []string{"insserv", name})
	if tool != "" {
		return errors.Join(err, d.incomplete(s, tool))
	}
	for _, link := range d.byHand(s, name) {
		if err := c.Symlink(link, "../init.d/"+name); err != nil {
			return err
		}
	}
	return nil
}

// incomplete returns an error if a tool has not made the links that start the service:
// insserv does not report a full disk.
func (d sysv) incomplete(s manage.Spec, tool string) error {
	have := linksText(d.Registered(s))
	for line := range strings.Lines(d.wanted(s, nil, false)) {
		if where, ok := strings.CutPrefix(line, "start in "); ok && !strings.Contains(have, line) {
			return fmt.Errorf("%s has made no link to the script in %s: is the disk full, or read-only?", tool, strings.TrimSpace(where))
		}
	}
	return nil
}

func (d sysv) Unregister(ctx context.Context, c *files.Change, s manage.Spec) (removed []string, err error) {
	l, links := InitD(s), d.Registered(s)
	c.Call(d.Tree.Relink(links...))
	if !d.rcs {
		if _, err := d.tools(ctx, []string{"update-rc.d", "-f", l.Name, "remove"}, []string{"chkconfig", "--del", l.Name}, []string{"insserv", "-r", l.Name}); err != nil {
			return nil, err
		}
	}
	removed = append([]string{l.File}, links...) // links without a script are remains
	if err := removeAll(c, append(removed, pidFile(l.Name), "/run/"+l.Name+".lock")); err != nil {
		return nil, err
	}
	return removed, nil
}
