package daemon

import (
	"context"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

func (n *needed) CheckRemoval(context.Context, manage.Spec) error { return n.fails["check removal"] }

func TestUninstall_LooksBeforeItStopsDependents(t *testing.T) {
	s, n := newNeeded(t)
	n.fails["check removal"] = service.ErrForeign
	for _, line := range []string{"uninstall --dependents", "uninstall"} {
		if code, _, err := s.call(line); code != 1 || err != programName()+": uninstall web: belongs to another program\n" {
			t.Errorf("%s: exit code %d, %q", line, code, err)
		}
	}
	if n.did() != "" || !n.runs["c"] {
		t.Errorf("it did %s", n.did())
	}
}
