package openrc

import (
	"context"
	"os"
	"regexp"
	"slices"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/initd"
)

var _ service.Needed = (*Manager)(nil)

// needing matches what the dependency tree of OpenRC has of a service (its number and its
// name), and of each that needs it.
var needing = regexp.MustCompile(`(?m)^depinfo_(\d+)_(service|needsme_\d+)='([^'\n]*)'$`)

// Dependents implements service.Needed. OpenRC stops them along. Where there is no
// dependency tree, nothing has been started that it could stop.
func (m *Manager) Dependents(_ context.Context, s service.Spec) (service.Dependents, error) {
	d := service.Dependents{Along: true}
	text, err := os.ReadFile(m.m.Tree.Path(stateDir + "/deptree"))
	if err != nil {
		return d, nil
	}
	names, needs := map[string]string{}, map[string][]string{}
	for _, found := range needing.FindAllStringSubmatch(string(text), -1) {
		number, what, name := found[1], found[2], found[3]
		if what == "service" {
			names[number] = name // which comes first
			continue
		}
		needs[names[number]] = append(needs[names[number]], name)
	}
	self := initd.Of(s).Name
	seen := []string{self}
	var visit func(name string)
	visit = func(name string) {
		for _, n := range needs[name] {
			if slices.Contains(seen, n) {
				continue
			}
			seen = append(seen, n)
			visit(n)
			if m.is("started", n) || m.is("starting", n) || m.is("inactive", n) {
				d.Running = append(d.Running, n)
			} else if m.m.Tree.Exists("/etc/init.d/" + n) { // what is provided has no script
				d.Stopped = append(d.Stopped, n)
			}
		}
	}
	visit(self)
	return d, nil
}
