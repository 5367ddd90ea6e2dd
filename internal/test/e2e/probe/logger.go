package main

import (
	"context"
	stdlog "log"
	"log/slog"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/daemon"
)

// writeLog logs in all the ways that there are, and has goroutines that go on.
func (p *probe) writeLog(ctx context.Context) {
	log := daemon.Logger(ctx).With(zap.String("trial_run", p.log))
	log.Debug("at debug", zap.Int("answer", 42))
	log.Info("at info", zap.Int("answer", 42), zap.Duration("took", 1500*time.Millisecond), zap.Strings("names", []string{"a", "b"}))
	log.Warn("at warn")
	log.Error("at error")
	slog.Info("by slog", "trial_run", p.log, "answer", 42)
	slog.Debug("by slog at debug", "trial_run", p.log)
	stdlog.Print("by log, of " + p.log)
	daemon.Go(ctx, func(context.Context) error {
		for i := range p.records {
			log.Info("record", zap.Int("trial_seed", i))
			time.Sleep(p.every)
		}
		return nil
	})
	if p.ticks {
		daemon.Go(ctx, func(ctx context.Context) error {
			for pass(ctx, 10*time.Millisecond) == nil {
				log.Debug("tick")
			}
			return nil
		})
	}
}

// die ends the process in a way that nobody recovers from, where nobody sees it.
func die(how string) {
	switch how {
	case "panic":
		go panic("as asked by -die")
	case "maps":
		m := map[int]int{}
		for range 8 {
			go func() {
				for i := 0; ; i++ {
					m[i%8] = i
				}
			}()
		}
	}
}
