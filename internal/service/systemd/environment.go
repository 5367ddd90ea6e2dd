package systemd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/internal/envfile"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// writeEnvironmentFile writes the directive for the file with variables. systemd expands *, ?
// and [ in its path, and gives a backslash a meaning.
func (r *renderer) writeEnvironmentFile(w *writer) {
	file := r.EnvironmentFile
	if file == "" {
		return
	}
	const without = `*?[\`
	if strings.ContainsAny(file, without) || file != strings.Trim(file, blanks) {
		r.fail(fmt.Errorf("%w: EnvironmentFile is %q: systemd accepts no path there that contains one of %s, or begins or ends with a blank", manage.ErrConfig, file, without))
	}
	if r.KeptFile {
		w.line("# " + manage.Kept)
	}
	w.set("EnvironmentFile", "%s", escapeText(file))
}

// keepEnvironmentFile returns s with the EnvironmentFile of the unit of kardianos/service
// that it replaces now or has replaced before.
func (m *Manager) keepEnvironmentFile(s manage.Spec, dir string) manage.Spec {
	old, _, err := m.machine.Tree.Read(path.Join(dir, serviceUnit(s)))
	if err != nil || s.EnvironmentFile != "" || !isKardianos(old, s.Name) && !(manage.Marked(old) && strings.Contains(old, "\n# "+manage.Kept+"\n")) {
		return s
	}
	for line := range strings.Lines(old) {
		value, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "EnvironmentFile=")
		value = strings.ReplaceAll(value, "%%", "%")
		if file, _ := envfile.Split(value); ok && manage.Absolute(file) {
			s.EnvironmentFile, s.KeptFile = value, true
		}
	}
	return s
}

// requiredFiles returns the files of EnvironmentFile= without which systemd does not start the
// unit.
func (u properties) requiredFiles() (files []string) {
	for line := range strings.Lines(u["EnvironmentFiles"]) {
		if file, ok := strings.CutSuffix(strings.TrimSuffix(line, "\n"), " (ignore_errors=no)"); ok {
			files = append(files, file)
		}
	}
	return files
}

// missingFiles returns those of requiredFiles that do not exist.
func (m *Manager) missingFiles(u properties) []string {
	return slices.DeleteFunc(u.requiredFiles(), func(file string) bool {
		at := m.machine.Tree.Path(file)
		if found, err := filepath.Glob(at); err == nil && len(found) > 0 { // systemd expands patterns
			return true
		}
		_, err := os.Stat(at)
		return !errors.Is(err, fs.ErrNotExist)
	})
}

// checkEnvironmentFile checks who can write to the file with variables.
func (m *Manager) checkEnvironmentFile(warnings []string, s manage.Spec, force bool) ([]string, error) {
	more, err := manage.CheckEnvironmentFile(s, m.machine.Tree, m.safe, force)
	return append(warnings, more...), err
}
