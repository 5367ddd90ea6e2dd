package daemon

import (
	"context"
	"strings"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/symptom"
)

// diagnoseLog looks for known symptoms in the log of the last run. If crashed is true, it
// skips the signs of a crash: the next run has logged the text of the crash. It also skips a
// line that contains reported, the path of an executable that diagnose has already reported.
func (h *Handle) diagnoseLog(ctx context.Context, s service.Status, crashed bool, reported string, add addFinding) {
	log, err := manage.LastRun(ctx, h.manager, h.spec)
	if err != nil {
		add(manage.Note, "log", err.Error(), "")
		return
	}
	level := manage.Warning
	if s.State == service.Running {
		level = manage.Note
	}
	var skip []string
	if crashed {
		skip = symptom.CrashSigns
	}
	patient := symptom.Service{
		Manager: h.name, Spec: h.spec, Limits: manage.Confined(ctx, h.manager, h.spec), State: manage.Folders(h.manager, h.spec).State,
	}
	patient.Machine = symptom.Here(patient)
	if f, ok := symptom.Last(cutRecords(log, logElsewhere), patient, skip...); ok && (reported == "" || !strings.Contains(f.Said, reported)) {
		add(level, "log", f.Means+": "+f.Said, f.Remedy)
	}
}

// cutRecords returns log without the records that contain what.
func cutRecords(log, what string) string {
	rest, cut := "", false
	for line := range strings.Lines(log) {
		if further := strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t"); !further {
			cut = strings.Contains(line, what)
		}
		if !cut {
			rest += line
		}
	}
	return rest
}
