//go:build linux

// Logger logs to the journal, and ends.
//
//	logger trial RUN FROM N   the records of N seeds of package trial
//	logger many RUN N G PAUSE N records by each of G goroutines, with a pause between them
//	logger large RUN          records that are much
//	logger hang RUN FILE      30 000 records, and how long the calls took into the file
//	logger stop RUN N G FILE  N records by each of G goroutines, then what a run does at the
//	                          end, and the error of Close into the file
//
// Every record has the field TRIAL_RUN. Exit code 3 says that standard error does not
// lead to the journal.
package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/journal"
	"github.com/go-glidepath/glidepath/internal/log/logevent"
	"github.com/go-glidepath/glidepath/internal/test/journaltest"
)

func main() {
	if !journal.Wanted(os.Getenv("JOURNAL_STREAM"), os.Stderr) {
		os.Exit(3)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(what, id string, args []string) error {
	core, err := journal.New(journal.Options{}, zap.DebugLevel)
	if err != nil {
		return err
	}
	c := core.With([]zap.Field{zap.String("trial_run", id)})
	switch what {
	case "trial":
		records(c, number(args[0]), number(args[1]))
	case "many":
		pause, err := time.ParseDuration(args[2])
		if err != nil {
			return err
		}
		many(c, number(args[0]), number(args[1]), pause)
	case "large":
		large(c)
	case "hang":
		err = hang(c, args[0])
	case "stop":
		many(c, number(args[0]), number(args[1]), 0)
		return stop(core, c, args[2])
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if closed := core.Close(ctx); closed != nil && what != "hang" {
		return closed
	}
	if n := core.Lost(); n > 0 && what != "hang" {
		return fmt.Errorf("%d records were lost", n)
	}
	return err
}

// stop is what a run does at the end.
func stop(core *journal.Core, c zapcore.Core, file string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_ = core.Drain(ctx)
	zap.New(c).Info("stopped", zap.Uint64("so_far", core.Lost()), logevent.Stopped.Field())
	closed := core.Close(ctx)
	return os.WriteFile(file, fmt.Appendf(nil, "%d lost, %d untold: %v", core.Lost(), core.Untold(), closed), 0o644)
}

func number(arg string) int {
	n, err := strconv.Atoi(arg)
	if err != nil {
		panic(err)
	}
	return n
}

func records(c zapcore.Core, from, n int) {
	for seed := from; seed < from+n; seed++ {
		r := journaltest.New(uint64(seed))
		log := c.With([]zap.Field{zap.Int("trial_seed", seed)})
		_ = log.Write(zapcore.Entry{Time: time.Now(), Level: r.Level, Message: r.Message}, r.Fields)
	}
}

func many(c zapcore.Core, n, goroutines int, pause time.Duration) {
	var wg sync.WaitGroup
	for g := range goroutines {
		log := zap.New(c, zap.AddCaller()).With(zap.Int("trial_goroutine", g))
		wg.Go(func() {
			for i := range n {
				log.Info("many", zap.Int("trial_seed", i), zap.String("method", "GET"), zap.String("path", "/index.html"))
				if pause > 0 {
					time.Sleep(pause)
				}
			}
		})
	}
	wg.Wait()
}

func large(c zapcore.Core) {
	log := zap.New(c)
	log.Info("megabytes", zap.Int("trial_seed", 0), zap.String("text", strings.Repeat("12345678\n", 1<<18)), zap.Binary("blob", make([]byte, 12<<20)))
	for i, n := range []int{500, 1500} {
		var fields []zap.Field
		for f := range n {
			fields = append(fields, zap.Int(fmt.Sprintf("f%d", f), f))
		}
		log.Info("fields", append(fields, zap.Int("trial_seed", i+1))...)
	}
	log.With(zap.Int("trial_seed", 3)).Error("event", logevent.Ready.Field(), zap.Error(fmt.Errorf("bind: %w", syscall.EADDRINUSE)))
	log.With(zap.Int("trial_seed", 4)).Info(strings.Repeat("\x00\n", 20<<20))
	log.With(zap.Int("trial_seed", 5)).Warn("warning", zap.String("long", strings.Repeat("x", 5000)))
}

func hang(c zapcore.Core, file string) error {
	log := zap.New(c, zap.AddCaller())
	took := make([]time.Duration, 30_000)
	var all time.Duration
	for i := range took {
		begun := time.Now()
		log.Info("hang", zap.Int("trial_seed", i), zap.String("method", "GET"), zap.String("path", "/index.html"), zap.Bool("cached", true))
		took[i] = time.Since(begun)
		all += took[i]
	}
	slices.Sort(took)
	result := fmt.Sprintf("%d %d %d %d", took[len(took)/2], took[len(took)*99/100], took[len(took)-1], all)
	return os.WriteFile(file, []byte(result), 0o644)
}
