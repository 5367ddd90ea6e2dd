package systemd

import (
	"context"
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service/manage"
)

var _ manage.Needed = (*Manager)(nil)

// needing lists the properties that name the units which systemd stops together with a unit:
// Requires=, Requisite=, BindsTo= and PartOf= in systemd.unit(5).
var needing = []string{"RequiredBy", "RequisiteOf", "BoundBy", "ConsistsOf"}

// Dependents implements service.Needed. It returns no units if systemd cannot be asked: the
// next call reports the reason.
func (m *Manager) Dependents(ctx context.Context, s manage.Spec) (manage.Dependents, error) {
	d := manage.Dependents{Along: true}
	if bareTemplate(s) {
		return d, nil
	}
	seen := []string{unitName(s)}
	for next := seen; len(next) > 0; {
		out, err := m.systemctl(ctx, append([]string{"show", "--property=Id,ActiveState," + strings.Join(needing, ","), "--"}, next...)...)
		if err != nil {
			return manage.Dependents{Along: true}, nil
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
