package systemd

import (
	"context"
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service"
)

var _ service.Needed = (*Manager)(nil)

// needing are the properties with the units that systemd stops along with a unit:
// systemd.unit(5), Requires=, Requisite=, BindsTo= and PartOf=.
var needing = []string{"RequiredBy", "RequisiteOf", "BoundBy", "ConsistsOf"}

// Dependents implements service.Needed. systemd stops them along, and so there are none
// where it cannot be asked: what is called next says why.
func (m *Manager) Dependents(ctx context.Context, s service.Spec) (service.Dependents, error) {
	d := service.Dependents{Along: true}
	if bareTemplate(s) {
		return d, nil
	}
	seen := []string{unitName(s)}
	for next := seen; len(next) > 0; {
		out, err := m.systemctl(ctx, append([]string{"show", "--property=Id,ActiveState," + strings.Join(needing, ","), "--"}, next...)...)
		if err != nil {
			return service.Dependents{Along: true}, nil
		}
		next = nil
		for block := range strings.SplitSeq(out, "\n\n") {
			u := parse(block)
			switch id := u["Id"]; {
			case id == unitName(s) || id == "":
			case u.runs():
				d.Running = append(d.Running, id)
			default:
				d.Stopped = append(d.Stopped, id)
			}
			for _, property := range needing {
				for id := range strings.FieldsSeq(u[property]) {
					if !slices.Contains(seen, id) {
						seen, next = append(seen, id), append(next, id)
					}
				}
			}
		}
	}
	slices.Reverse(d.Running)
	slices.Reverse(d.Stopped)
	return d, nil
}
