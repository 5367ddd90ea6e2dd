package systemd

import (
	"fmt"
	"os"
	"path"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service"
)

// checkMasks fails if one of the units is masked: somebody forbids that it is started, and
// that is not for an installation to overrule, not even with force.
func (m *Manager) checkMasks(s service.Spec, dir string, units []Unit) error {
	names := []string{unitName(s)}
	for _, u := range units {
		names = append(names, u.Name)
		if s.Instance != "" {
			names = append(names, instanceOf(u.Name, s))
		}
	}
	tree := m.machine.Tree
	for _, name := range names {
		for _, at := range append([]string{dir}, m.otherFolders()...) {
			if strings.HasPrefix(at, "/usr") || strings.HasPrefix(at, "/lib") {
				continue // of a package, which is told of elsewhere
			}
			file := path.Join(at, name)
			switch info, err := os.Stat(tree.Path(file)); {
			case tree.Link(file) == "/dev/null" && path.Dir(path.Dir(at)) == "/run":
				return fmt.Errorf("%s is masked until the machine stops, which forbids to start it: %s allows it", name, m.commandLine("unmask", "--runtime", name))
			case tree.Link(file) == "/dev/null":
				return fmt.Errorf("%s is masked, which forbids to start it: %s allows it", name, m.commandLine("unmask", name))
			case err == nil && info.Mode().IsRegular() && info.Size() == 0 && tree.Link(file) == "":
				return fmt.Errorf("%s is empty, which masks it and forbids to start it: rm %s allows it", file, file)
			}
		}
	}
	return nil
}
