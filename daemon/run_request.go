package daemon

import (
	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/lifecycle"
)

// request posts the request q of a host.
func (r *run) request(q host.Request) {
	if _, can := r.program.(Pauser); !can && (q.Action == host.Pause || q.Action == host.Continue) {
		return
	}
	r.inbox.post(r.inputOf(q))
}

// inputOf translates a request into an event.
func (r *run) inputOf(q host.Request) input {
	e := input{name: q.Detail, signal: q.Signal, budget: q.Budget, hint: q.Hint}
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
	case host.MoreVerbose:
		e.step = -1
	case host.LessVerbose:
		e.step = 1
	}
	return e
}

func (r *run) warn(msg string, fields ...zap.Field) { r.book.add(zap.WarnLevel, msg, "", fields...) }

func (r *run) debug(msg string, fields ...zap.Field) { r.book.add(zap.DebugLevel, msg, "", fields...) }
