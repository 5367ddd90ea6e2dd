package daemon

import (
	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/lifecycle"
)

// request is what hosts ask.
func (r *run) request(q host.Request) {
	if r.levelRequest(q) {
		return
	}
	if _, can := r.program.(Pauser); !can && (q.Action == host.Pause || q.Action == host.Continue) {
		return
	}
	r.inbox.post(r.event(q))
}

// levelRequest reports whether q is about the level of the log, and does it.
func (r *run) levelRequest(q host.Request) bool {
	switch q.Action {
	case host.MoreVerbose:
		r.stepLevel(-1, q.Detail)
	case host.LessVerbose:
		r.stepLevel(1, q.Detail)
	default:
		return false
	}
	return true
}

func (r *run) event(q host.Request) event {
	e := event{name: q.Detail, signal: q.Signal, budget: q.Budget, hint: q.Hint}
	switch q.Action {
	case host.Stop:
		e.kind, e.reason = lifecycle.StopAsked, Reason{Trigger: Trigger(q.Trigger), Detail: q.Detail}
	case host.Force:
		e.kind = lifecycle.Forced
	case host.Reload:
		e.kind = lifecycle.ReloadAsked
	case host.Pause:
		e.kind = lifecycle.PauseAsked
	case host.Continue:
		e.kind = lifecycle.ContinueAsked
	}
	return e
}

func (r *run) warn(msg string, fields ...zap.Field) { r.book.add(zap.WarnLevel, msg, "", fields...) }
