package main

import (
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/daemon"
)

// options is how the probe behaves.
type options struct {
	startTimeout, stopTimeout, drainDelay time.Duration

	startAfter          time.Duration
	startFail           bool
	startConfigError    bool
	startIgnoresContext bool

	stopAfter           time.Duration
	stopFail            bool
	stopIgnoresDeadline bool

	failAfter, panicAfter, job time.Duration

	reload, check, pause string
	able, why            bool
	preshutdown, keepDir bool
	keepChildren         bool
	leave, lingers       bool
	spawn, sockets, host string
	children, orphans    int
	reapOrphans          bool
	chatter              bool
	notes                notes

	log, die string
	records  int
	every    time.Duration
	ticks    bool
}

func parse() options {
	var o options
	flag.DurationVar(&o.startTimeout, "start-timeout", 0, "Config.StartTimeout")
	flag.DurationVar(&o.stopTimeout, "stop-timeout", 0, "Config.StopTimeout")
	flag.DurationVar(&o.drainDelay, "drain-delay", 0, "Config.DrainDelay")
	flag.DurationVar(&o.startAfter, "start-after", 0, "how long Start takes")
	flag.BoolVar(&o.startFail, "start-fail", false, "Start fails with ENOENT")
	flag.BoolVar(&o.startConfigError, "start-config-error", false, "Start fails with daemon.ErrConfig")
	flag.BoolVar(&o.startIgnoresContext, "start-ignores-context", false, "Start never returns")
	flag.DurationVar(&o.stopAfter, "stop-after", 0, "how long Stop takes")
	flag.BoolVar(&o.stopFail, "stop-fail", false, "Stop fails")
	flag.BoolVar(&o.stopIgnoresDeadline, "stop-ignores-deadline", false, "Stop never returns")
	flag.DurationVar(&o.failAfter, "fail-after", 0, "call daemon.Fail so long after Start")
	flag.DurationVar(&o.panicAfter, "panic-after", 0, "panic in a goroutine so long after Start")
	flag.DurationVar(&o.job, "job", 0, "be a daemon.Func that has finished after so long")
	flag.StringVar(&o.reload, "reload", "none", "ok, fail, slow (takes 2s) or none (is no Reloader)")
	flag.StringVar(&o.check, "check", "none", "ok, fail-after=1s, hang-after=1s, panic-after=1s or none (is no Checker)")
	flag.StringVar(&o.pause, "pause", "ok", "ok, fail or slow (takes 3s), with -able")
	flag.BoolVar(&o.able, "able", false, "have every ability, also those of a Pauser and a Notified")
	flag.BoolVar(&o.why, "why", false, "note the directory and the arguments of the start, and why to stop")
	flag.BoolVar(&o.preshutdown, "preshutdown", false, "Config.Windows.Preshutdown")
	flag.BoolVar(&o.keepDir, "keep-directory", false, "Config.Windows.KeepDirectory")
	flag.BoolVar(&o.keepChildren, "keep-children", false, "Config.Windows.KeepChildren")
	flag.BoolVar(&o.leave, "leave", false, "in Start, run a child that does not end by itself")
	flag.BoolVar(&o.lingers, "lingers", false, "be that child")
	flag.StringVar(&o.spawn, "spawn", "", "in Start, run a child that writes its environment to this file")
	flag.IntVar(&o.children, "children", 0, "run so many children, wait for each at a random moment, and check how it ended")
	flag.IntVar(&o.orphans, "orphans", 0, "make so many orphans, which end at random moments")
	flag.BoolVar(&o.reapOrphans, "reap-orphans", false, "Config.ReapOrphans")
	flag.StringVar(&o.host, "host", "", "Config.Host")
	flag.StringVar(&o.sockets, "sockets", "", "in Start, take the sockets of these names, a,b")
	flag.BoolVar(&o.chatter, "chatter", false, "write to standard output until that fails")
	flag.StringVar((*string)(&o.notes), "notes", "", "append a line for each thing that happens to this file")
	flag.StringVar(&o.log, "log", "", "log in all ways, with this as the field trial_run")
	flag.IntVar(&o.records, "records", 0, "with -log, log so many records more, and let Stop wait for that")
	flag.DurationVar(&o.every, "every", 0, "the pause between them")
	flag.BoolVar(&o.ticks, "ticks", false, "with -log, log at debug all the time")
	flag.StringVar(&o.die, "die", "", "panic or maps: after Start, die of that in a goroutine of its own")
	flag.Parse()
	return o
}

// program has exactly the abilities that are asked for: the library finds them by
// type assertion.
func (o options) program() (daemon.Program, error) {
	if o.job > 0 {
		return job(o), nil
	}
	p := &probe{options: o}
	r := reloader{&p.options}
	c, err := newChecker(o.check)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(" none ok fail slow ", " "+o.reload+" ") {
		return nil, fmt.Errorf("-reload=%s: want ok, fail, slow or none", o.reload)
	}
	if o.able {
		return struct {
			*probe
			reloader
			pauser
			notified
			*checker
		}{p, r, pauser{&p.options}, notified{&p.options}, c}, nil
	}
	reloads, checks := o.reload != "none", o.check != "none"
	switch {
	case reloads && checks:
		return struct {
			*probe
			reloader
			*checker
		}{p, r, c}, nil
	case reloads:
		return struct {
			*probe
			reloader
		}{p, r}, nil
	case checks:
		return struct {
			*probe
			*checker
		}{p, c}, nil
	}
	return p, nil
}
