package upstart_test

import (
	"testing"

	"github.com/go-glidepath/glidepath/daemon/upstart"
	"github.com/go-glidepath/glidepath/internal/service/detect"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

func TestManager_NamesUpstart(t *testing.T) {
	m := upstart.Manager().(detect.Extra)
	if m.Name != "Upstart" || m.New(manage.Machine{}).Name() != "Upstart" {
		t.Errorf("it is called %q, and %q", m.Name, m.New(manage.Machine{}).Name())
	}
}
