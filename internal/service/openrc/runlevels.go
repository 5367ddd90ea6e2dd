package openrc

import (
	"context"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
	"github.com/go-glidepath/glidepath/internal/service/initd"
	"github.com/go-glidepath/glidepath/internal/service/system/owned"
)

// wanted reports whether the service is to be in the runlevel. One that somebody has put
// into another runlevel, or into none, stays there.
func (m *Manager) wanted(p *service.Plan, name string) bool {
	levels := m.runlevels(name)
	here := slices.Contains(levels, runlevel)
	record := m.m.Belongings(p.Spec).Record
	last := record.Start()
	switch {
	case record.Stays(p, len(levels) > 0):
		return here
	case starts(p.Spec) && p.Installed && last.ByItself() && len(levels) > 0 && !here:
		p.Notes = append(p.Notes, "it stays in the runlevel "+strings.Join(levels, ", ")+", as somebody has left it since it was installed")
		return false
	}
	return starts(p.Spec)
}

// forget takes the service out of the runlevels, and removes its script.
func (m *Manager) forget(ctx context.Context, c *files.Change, b owned.Record, l initd.Layout, levels []string) error {
	if err := b.DropStart(c); err != nil {
		return err
	}
	for _, level := range levels {
		if err := m.call(ctx, "rc-update", "del", l.Name, level); err != nil {
			return err
		}
	}
	if err := c.Remove(l.Script); err != nil {
		return err
	}
	return m.learn(ctx)
}

// runlevels are those that the service is in.
func (m *Manager) runlevels(name string) []string {
	levels, err := os.ReadDir(m.m.Tree.Path(runlevels))
	if err != nil {
		return nil
	}
	var in []string
	for _, l := range levels {
		if m.m.Tree.Exists(path.Join(runlevels, l.Name(), name)) {
			in = append(in, l.Name())
		}
	}
	return in
}
