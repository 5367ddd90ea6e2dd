//go:build unix

package openrc

import (
	"slices"
	"testing"

	"github.com/go-glidepath/glidepath/internal/test/initfake"
)

// tree is the dependency tree of OpenRC 0.62, of which web is needed by a, a by b, and
// idle, which does not run, needs web too.
const tree = `depinfo_0_service='web'
depinfo_0_iafter_0='net'
depinfo_0_needsme_0='a'
depinfo_0_needsme_1='idle'
depinfo_0_needsme_2='gone'
depinfo_1_service='a'
depinfo_1_ineed_0='web'
depinfo_1_needsme_0='b'
depinfo_2_service='b'
depinfo_2_ineed_0='a'
depinfo_2_needsme_0='web'
depinfo_3_service='idle'
depinfo_3_ineed_0='web'
depinfo_3_usesme_0='user'
depinfo_4_service='user'
depinfo_4_iuse_0='web'
`

func TestServicesThatOpenRCStopsAlongAreNamed(t *testing.T) {
	f := initfake.New(t)
	m := newManager(f)
	if d, err := m.Dependents(t.Context(), initfake.Web()); err != nil || !d.Along || len(d.Running)+len(d.Stopped) > 0 {
		t.Errorf("without a tree: %+v, %v", d, err)
	}
	f.Write("/run/openrc/deptree", tree)
	for _, name := range []string{"a", "b", "web", "user"} {
		f.Write("/run/openrc/started/"+name, "")
	}
	for _, name := range []string{"a", "b", "idle"} {
		f.Write("/etc/init.d/"+name, "")
	}
	d, err := m.Dependents(t.Context(), initfake.Web())
	if err != nil || !slices.Equal(d.Running, []string{"b", "a"}) || !slices.Equal(d.Stopped, []string{"idle"}) {
		t.Errorf("got %+v, %v", d, err)
	}
	if len(f.Lines) > 0 {
		t.Errorf("it calls %q", f.Lines)
	}
}
