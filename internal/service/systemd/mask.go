package systemd

import (
	"fmt"
	"os"
	"path"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// checkMasks returns an error if one of the units is masked. Somebody has forbidden to start
// it, so not even force overrides that.
func (m *Manager) checkMasks(s manage.Spec, dir string, units []Unit) error {
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
				continue // it is of a package: checkElsewhere reports that
			}
			file := path.Join(at, name)
			switch info, err := os.Stat(tree.Path(file)); {
			case tree.Link(file) == "/dev/null" && path.Dir(path.Dir(at)) == "/run":
				return fmt.Errorf("%s is masked until the next boot and cannot be started: run %s first", name, m.commandLine("unmask", "--runtime", name))
			case tree.Link(file) == "/dev/null":
				return fmt.Errorf("%s is masked and cannot be started: run %s first", name, m.commandLine("unmask", name))
			case err == nil && info.Mode().IsRegular() && info.Size() == 0 && tree.Link(file) == "":
				return fmt.Errorf("%s is empty, which masks the unit: run rm %s first", file, file)
			}
		}
	}
	return nil
}
