//go:build linux

package windows

import (
	"testing"

	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

func requireWindows(t *testing.T) { t.Helper(); testbed.Require(t) }

type notebook struct {
	*testbed.Notebook
	file string // for a Windows program
	flag string // for the probe's command line
}

func newNotebook(t *testing.T, name string) notebook {
	path := "/tmp/" + name + ".notes"
	return notebook{testbed.NewNotebook(t, machine.Path(path)), testbed.WindowsPath(path), "-notes=" + testbed.WindowsPath(path)}
}

func (n notebook) says(want ...string) { n.Says(want...) }
func (n notebook) await(note string)   { n.Await(note) }
func (n notebook) where() string       { return `in Z:\, <nil>, with []` }

func (s *installed) notebook() notebook {
	n := newNotebook(s.t, s.name)
	s.args = append([]string{s.args[0], n.flag}, s.args[1:]...)
	return n
}
