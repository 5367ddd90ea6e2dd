package lifecycle

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// path lists the events that led to a broken rule.
type path []Event

func (p path) String() string {
	names := make([]string, len(p))
	for i, e := range p {
		names[i] = e.String()
	}
	return strings.Join(names, " ")
}

// onTheWayDown marks a broken rule that showed when a run was asked to stop and
// then followed to its end.
const onTheWayDown = "on the way down: "

// closure visits every world that any number of events can reach, each once. It returns the
// number of worlds, and the first broken rule with a shortest path to it.
func closure(next stepper) (worlds int, bad string, how path) {
	type node struct {
		from  int
		event Event
		world world
	}
	for _, k := range kinds {
		w, bad := begin(k.drains, k.closes)
		if bad != "" {
			return 0, bad, nil
		}
		nodes := []node{{from: -1, world: w}}
		seen := map[world]bool{w: true}
		back := func(i int) (p path) {
			for ; nodes[i].from >= 0; i = nodes[i].from {
				p = append(path{nodes[i].event}, p...)
			}
			return p
		}
		for i := 0; i < len(nodes); i++ {
			w := nodes[i].world
			for _, reply := range []func(world) []Event{everythingReturns, nothingReturns} {
				if bad := w.ends(next, reply); bad != "" {
					return len(nodes), onTheWayDown + bad, append(back(i), StopAsked)
				}
			}
			for e := range NumEvents {
				after, bad := w.step(next, e)
				if bad != "" {
					return len(nodes), bad, append(back(i), e)
				}
				if !seen[after] {
					seen[after] = true
					nodes = append(nodes, node{from: i, event: e, world: after})
				}
			}
		}
		worlds += len(nodes)
	}
	return worlds, "", nil
}

// sequences tries every sequence of exactly n events. It returns the number of sequences,
// and the first broken rule.
func sequences(next stepper, n int) (tried int64, bad string, how path) {
	type failure struct {
		bad string
		how path
	}
	var count atomic.Int64
	var failed atomic.Pointer[failure]
	var wg sync.WaitGroup
	firsts := make(chan Event)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			p := make(path, 0, n)
			var walk func(world, Event) int64
			walk = func(w world, e Event) (leaves int64) {
				p = append(p, e)
				defer func() { p = p[:len(p)-1] }()
				w, bad := w.step(next, e)
				if bad != "" {
					failed.CompareAndSwap(nil, &failure{bad, append(path{}, p...)})
				}
				if bad != "" || len(p) == n {
					return 1
				}
				for e := range NumEvents {
					if failed.Load() != nil {
						break
					}
					leaves += walk(w, e)
				}
				return leaves
			}
			for first := range firsts {
				for _, k := range kinds {
					w, _ := begin(k.drains, k.closes)
					count.Add(walk(w, first))
				}
			}
		})
	}
	for e := range NumEvents {
		firsts <- e
	}
	close(firsts)
	wg.Wait()
	if f := failed.Load(); f != nil {
		return count.Load(), f.bad, f.how
	}
	return count.Load(), "", nil
}

func TestStep_EveryReachableStateKeepsTheInvariants(t *testing.T) {
	worlds, bad, how := closure(Machine.Step)
	if bad != "" {
		t.Fatalf("%s\nafter %v", bad, how)
	}
	t.Logf("%d states reachable by sequences of any length, all sound, and every one of them ends", worlds)
}

func TestStep_EverySequenceOfEventsKeepsTheInvariants(t *testing.T) {
	budget := 18 * time.Second
	if testing.Short() {
		budget = time.Second
	}
	var total int64
	var took time.Duration
	length := 0
	for begun := time.Now(); time.Since(begun)+took*time.Duration(NumEvents) < budget; {
		length++
		began := time.Now()
		n, bad, how := sequences(Machine.Step, length)
		if bad != "" {
			t.Fatalf("%s\nafter %v", bad, how)
		}
		total += n
		took = time.Since(began)
	}
	t.Logf("%d sequences of %d events, up to length %d, with and without a drain delay and a Close", total, NumEvents, length)
	if length < 3 {
		t.Errorf("only sequences up to length %d were tried", length)
	}
}

// mutants maps the name of a fault to a copy of Machine.Step that has it.
var mutants = map[string]func(m Machine, e Event) (Machine, Effects){
	"Stop is called twice": func(m Machine, e Event) (Machine, Effects) {
		n, fx := m.Step(e)
		if e == StopOK && m.call == callStop {
			n.step, n.call, fx = stop, callStop, CallStop
		}
		return n, fx
	},
	"Stop is called though Start failed": func(m Machine, e Event) (Machine, Effects) {
		if e == StartFailed && m.state == Stopping {
			e = StartOK
		}
		return m.Step(e)
	},
	"Stop runs together with Reload": func(m Machine, e Event) (Machine, Effects) {
		if e == StopAsked && m.call == callReload {
			n, fx := m.Step(e)
			n.call = noCall
			return n.descend(fx)
		}
		return m.Step(e)
	},
	"Close is called though Start failed": func(m Machine, e Event) (Machine, Effects) {
		if e == Joined && m.step == join && m.closes {
			m.started = true
		}
		return m.Step(e)
	},
	"Close is called before the last goroutine has returned": func(m Machine, e Event) (Machine, Effects) {
		n, fx := m.Step(e)
		if fx.Has(Join) && n.closes && n.started {
			n.step, n.call, fx = closing, callClose, fx&^Join|CallClose
		}
		return n, fx
	},
	"Close is not called after the deadline": func(m Machine, e Event) (Machine, Effects) {
		if e == Joined && m.expired {
			m.closes = false
		}
		return m.Step(e)
	},
	"Close is called of what was given up": func(m Machine, e Event) (Machine, Effects) {
		n, fx := m.Step(e)
		if fx.Has(GiveUp) && m.step == join && m.closes && m.started {
			n.step, n.call, fx = closing, callClose, GiveUp|CallClose
		}
		return n, fx
	},
	"Close is called twice": func(m Machine, e Event) (Machine, Effects) {
		n, fx := m.Step(e)
		if e == CloseFailed && m.step == closing {
			n.step, n.call, fx = closing, callClose, AddError|CallClose
		}
		return n, fx
	},
	"Close's error is dropped": func(m Machine, e Event) (Machine, Effects) {
		if e == CloseFailed {
			e = CloseOK
		}
		return m.Step(e)
	},
	"nothing is given up while Close hangs": func(m Machine, e Event) (Machine, Effects) {
		if e == GraceOver && m.step == closing {
			return m, 0
		}
		return m.Step(e)
	},
	"what Start says besides being asked to stop is thrown away": func(m Machine, e Event) (Machine, Effects) {
		if e == StartFailed && m.state == Stopping {
			e = StartCancelled
		}
		return m.Step(e)
	},
	"Start is called again": func(m Machine, e Event) (Machine, Effects) {
		n, fx := m.Step(e)
		if e == ContinueOK && m.state == Continuing {
			fx |= CallStart
		}
		return n, fx
	},
	"ready is told while stopping": func(m Machine, e Event) (Machine, Effects) {
		if e == StartOK && m.state == Stopping && m.call == callStart {
			m.state, m.call, m.started = Running, noCall, true
			return m, Tell
		}
		return m.Step(e)
	},
	"ready is told before Start returned": func(m Machine, e Event) (Machine, Effects) {
		if e == ReloadAsked && m.state == Starting {
			m.state, m.call = Reloading, callReload
			return m, Tell | CallReload
		}
		return m.Step(e)
	},
	"the last reason wins": func(m Machine, e Event) (Machine, Effects) {
		n, fx := m.Step(e)
		if fx.Has(LateReason) {
			fx = KeepReason
		}
		return n, fx
	},
	"a failure looks like success": func(m Machine, e Event) (Machine, Effects) {
		n, fx := m.Step(e)
		if e == Failed {
			n.outcome = AsAsked
		}
		return n, fx
	},
	"success looks like a failure": func(m Machine, e Event) (Machine, Effects) {
		n, fx := m.Step(e)
		if e == StartCancelled && m.state == Stopping {
			n.outcome = Failure
		}
		return n, fx
	},
	"Stop's error is dropped": func(m Machine, e Event) (Machine, Effects) {
		if e == StopFailed {
			e = StopOK
		}
		return m.Step(e)
	},
	"the goroutines are not waited for": func(m Machine, e Event) (Machine, Effects) {
		n, fx := m.Step(e)
		if fx.Has(Join) {
			n.step, fx = flush, fx&^Join|Flush
		}
		return n, fx
	},
	"the deadline is not armed when Start fails": func(m Machine, e Event) (Machine, Effects) {
		n, fx := m.Step(e)
		if e == StartFailed {
			fx &^= ArmDeadline
		}
		return n, fx
	},
	"the deadline is ignored while Start still runs": func(m Machine, e Event) (Machine, Effects) {
		if e == DeadlineOver && m.call == callStart {
			return m, 0
		}
		return m.Step(e)
	},
	"nothing is given up after a second signal": func(m Machine, e Event) (Machine, Effects) {
		if e == GraceOver && m.outcome == WasForced {
			return m, 0
		}
		return m.Step(e)
	},
	"a second signal during the drain delay skips Stop": func(m Machine, e Event) (Machine, Effects) {
		if e == Forced && m.step == drain {
			m.started = false
		}
		return m.Step(e)
	},
	"given up at the deadline, without a grace": func(m Machine, e Event) (Machine, Effects) {
		n, fx := m.Step(e)
		if fx.Has(ArmGrace) {
			n.step, n.outcome, fx = flush, max(n.outcome, GaveUp), fx&^ArmGrace|GiveUp|Flush
		}
		return n, fx
	},
	"Stopped is told before the flush": func(m Machine, e Event) (Machine, Effects) {
		n, fx := m.Step(e)
		if e == Joined && fx.Has(Flush) {
			n.state, n.step, fx = Stopped, noStep, fx|Finish
		}
		return n, fx
	},
	"Stopped is told twice": func(m Machine, e Event) (Machine, Effects) {
		n, fx := m.Step(e)
		if e == FlushDone && m.state == Stopped {
			fx |= Finish
		}
		return n, fx
	},
	"a pause begins during a reload": func(m Machine, e Event) (Machine, Effects) {
		if e == PauseAsked && m.state == Reloading {
			m.state, m.call = Pausing, callPause
			return m, Tell | CallPause
		}
		return m.Step(e)
	},
	"a reload begins while stopping": func(m Machine, e Event) (Machine, Effects) {
		if e == ReloadAsked && m.step == drain && m.call == noCall {
			m.call = callReload
			return m, CallReload
		}
		return m.Step(e)
	},
	"a reload during a reload is forgotten": func(m Machine, e Event) (Machine, Effects) {
		if e == ReloadAsked && m.state == Reloading {
			return m, 0
		}
		return m.Step(e)
	},
	"a pause during a reload is forgotten": func(m Machine, e Event) (Machine, Effects) {
		if e == PauseAsked && m.state == Reloading {
			return m, 0
		}
		return m.Step(e)
	},
	"the run's context ends after Stop": func(m Machine, e Event) (Machine, Effects) {
		n, fx := m.Step(e)
		if fx.Has(Release | CallStop) {
			fx &^= Release
		}
		return n, fx
	},
	"a reload is not interrupted by a stop": func(m Machine, e Event) (Machine, Effects) {
		n, fx := m.Step(e)
		return n, fx &^ Interrupt
	},
	"what has finished is drained": func(m Machine, e Event) (Machine, Effects) {
		if e == Finished {
			e = StopAsked
		}
		return m.Step(e)
	},
	"the drain delay never ends": func(m Machine, e Event) (Machine, Effects) {
		if e == DrainOver {
			return m, 0
		}
		return m.Step(e)
	},
}

func TestClosure_CatchesEveryMutant(t *testing.T) {
	caught := 0
	for name, mutant := range mutants {
		_, bad, how := closure(mutant)
		if bad == "" {
			t.Errorf("not caught: %s", name)
			continue
		}
		caught++
		t.Logf("%s: caught after [%v]: %s", name, how, bad)

		// The simple explorer sees the same fault, if a few events are enough to show it.
		if len(how) <= 4 && !strings.HasPrefix(bad, onTheWayDown) {
			if _, bad, _ := sequences(mutant, len(how)); bad == "" {
				t.Errorf("the closure caught %q after %d events, but trying every sequence did not", name, len(how))
			}
		}
	}
	t.Logf("%d of %d mutants caught", caught, len(mutants))
	if caught < 10 {
		t.Errorf("only %d mutants", caught)
	}
}

func TestString_CoversEveryStateAndEvent(t *testing.T) {
	names := map[string]bool{}
	for s := Starting; s <= Stopped; s++ {
		names[s.String()] = true
	}
	for e := range NumEvents {
		names[e.String()] = true
	}
	if want := int(Stopped) + 1 + int(NumEvents); len(names) != want {
		t.Errorf("%d different names for %d states and events: %s", len(names), want, fmt.Sprint(names))
	}
}
