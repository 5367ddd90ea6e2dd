package winsvc

import (
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

func TestPlan_KeepsAStartTypeSetByHand(t *testing.T) {
	const since = ", because it was changed after the installation"
	spec := func(start service.StartType, enable bool) manage.Spec {
		s := web()
		s.StartType, s.Enable = start, enable
		return s
	}
	for name, test := range map[string]struct {
		first  service.StartType
		set    uint32 // the start type set by hand, or 0
		second manage.Spec
		want   uint32
		note   string
	}{
		"nobody has":                   {service.Automatic, 0, spec(service.Automatic, false), startAutomatic, ""},
		"disabled":                     {service.Automatic, startDisabled, spec(service.Automatic, false), startDisabled, "its start type stays disabled" + since + "; use --enable to set it again"},
		"disabled, delayed before":     {service.Delayed, startDisabled, spec(service.Delayed, false), startDisabled, "its start type stays disabled" + since + "; use --enable to set it again"},
		"manual":                       {service.Automatic, startDemand, spec(service.Automatic, false), startDemand, "its start type stays manual" + since + "; use --enable to set it again"},
		"disabled, and --enable":       {service.Automatic, startDisabled, spec(service.Automatic, true), startAutomatic, ""},
		"a manual one disabled":        {service.Manual, startDisabled, spec(service.Manual, false), startDisabled, "its start type stays disabled" + since + "; use --enable to set it again"},
		"a manual one, and --enable":   {service.Manual, startDisabled, spec(service.Manual, true), startDemand, ""},
		"a manual one made automatic":  {service.Manual, startAutomatic, spec(service.Manual, true), startAutomatic, "its start type stays automatic" + since},
		"by the program":               {service.Manual, 0, spec(service.Automatic, false), startAutomatic, ""},
		"by somebody, as now wanted":   {service.Automatic, startDemand, spec(service.Manual, false), startDemand, ""},
		"by the program, and disabled": {service.Automatic, 0, spec(service.Disabled, false), startDisabled, ""},
	} {
		t.Run(name, func(t *testing.T) {
			m, f := newManager(t)
			install(t, m, spec(test.first, false), false)
			if test.set != 0 {
				f.services["web"].config.Start = test.set
			}
			for again := range 2 {
				p := install(t, m, test.second, false)
				if got := f.services["web"].config.Start; got != test.want {
					t.Errorf("installed %d times: it is %s, want %s", again+2, startType(got), startType(test.want))
				}
				if got := strings.Join(p.Notes, "; "); got != test.note && (again == 0 || test.note != "") {
					t.Errorf("installed %d times: the notes are %q, want %q", again+2, got, test.note)
				}
			}
			if test.set == 0 {
				return
			}
			if _, err := m.Remove(t.Context(), web(), false); err != nil {
				t.Fatal(err)
			}
			install(t, m, spec(service.Automatic, false), false)
			if got := f.services["web"].config.Start; got != startAutomatic {
				t.Errorf("removed and installed it is %s", startType(got))
			}
		})
	}
}
