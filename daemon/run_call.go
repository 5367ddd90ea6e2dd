package daemon

import (
	"context"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/lifecycle"
	"github.com/go-glidepath/glidepath/internal/log/logevent"
	"github.com/go-glidepath/glidepath/internal/runctx"
)

// callMethod calls the method of the program that the effect fx names.
func (r *run) callMethod(fx lifecycle.Effects, e input) {
	switch fx {
	case lifecycle.CallStart:
		r.call("Start", r.ctx, r.start, lifecycle.StartOK, lifecycle.StartFailed)
	case lifecycle.CallReload:
		r.reloadProgram(e)
	case lifecycle.CallPause:
		r.pauseProgram("Pause", Pauser.Pause, lifecycle.PauseOK, lifecycle.PauseFailed)
	case lifecycle.CallContinue:
		r.pauseProgram("Continue", Pauser.Continue, lifecycle.ContinueOK, lifecycle.ContinueFailed)
	case lifecycle.CallStop:
		r.call("Stop", r.stopCtx, r.stopProgram, lifecycle.StopOK, lifecycle.StopFailed)
	case lifecycle.CallClose:
		r.call("Close", r.stopCtx, r.program.(Closer).Close, lifecycle.CloseOK, lifecycle.CloseFailed)
	}
}

// call calls a method of the program on a new goroutine. When the method returns, call
// posts the event ok or bad.
func (r *run) call(name string, ctx context.Context, f func(context.Context) error, ok, bad lifecycle.Event) {
	r.calling = name
	go protect(name, func() error { return f(ctx) }, func(err error) {
		e := input{kind: ok}
		switch how := abrupt(err); {
		case err == nil:
		case how != "":
			// A panic or Goexit fails the program even where a returned error would not.
			r.fail(name+" "+how, err)
			e = input{kind: bad}
			if bad != lifecycle.StartFailed {
				e.err = newFailed("", err)
			}
		case bad == lifecycle.StartFailed && runctx.Echo(err, r.ctx, r.ctx):
			e = input{kind: lifecycle.StartCancelled, err: newFailed("start", err)}
		case bad == lifecycle.StartFailed:
			e = input{kind: bad, err: newFailed("start", err)}
			e.reason = failure("Start failed", e.err.err)
		case bad == lifecycle.StopFailed:
			e = input{kind: bad, err: newFailed("stop", err)}
		case bad == lifecycle.CloseFailed:
			e = input{kind: bad, err: newFailed("close", err)}
		default:
			e = input{kind: bad, err: newFailed("", err)}
			e.err.echo = runctx.Echo(err, ctx, r.ctx)
		}
		r.inbox.post(e)
	})
}

// endContext ends the context of the run. It does so on a new goroutine: waking 100,000
// goroutines that wait for the context takes a second or more, and meanwhile the loop has
// to keep the deadlines.
func (r *run) endContext() {
	if !r.tasks.add() {
		return // nothing is left that waits for it
	}
	reason := r.reason
	go func() {
		defer r.tasks.done()
		defer close(r.released)
		r.release(reason)
	}()
}

// stopProgram calls Stop once the context of Start has ended.
func (r *run) stopProgram(ctx context.Context) error {
	<-r.released
	return r.program.Stop(ctx)
}

// reloadProgram reloads the log, and then calls Reload if the program has it.
func (r *run) reloadProgram(e input) {
	p, ok := r.program.(Reloader)
	msg := "reloading"
	if !ok {
		msg = "reloading the log, for the program cannot reload"
	}
	r.book.add(zap.InfoLevel, msg, "", zap.String("detail", e.name), logevent.Reloading.Field())
	r.call("Reload", r.interruptible(), func(ctx context.Context) error {
		r.readLog()
		if !ok {
			return nil
		}
		return p.Reload(ctx)
	}, lifecycle.ReloadDone, lifecycle.ReloadDone)
}

// pauseProgram calls f, which is Pause or Continue.
func (r *run) pauseProgram(name string, f func(Pauser, context.Context) error, ok, bad lifecycle.Event) {
	p := r.program.(Pauser) // request drops these requests for other programs
	r.call(name, r.interruptible(), func(ctx context.Context) error { return f(p, ctx) }, ok, bad)
}

// interruptible returns a new context for a Reload, Pause or Continue. Each call has its
// own, so that interrupting it leaves the goroutines of earlier calls running. Because those
// may still use their context, it is not released before that of the run, which costs about
// 200 bytes a call.
func (r *run) interruptible() context.Context {
	ctx, interrupt := context.WithCancelCause(r.ctx)
	r.interrupt = interrupt
	return ctx
}
