package daemon_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/daemon/daemontest"
)

var (
	systemdRuns = flag.Int("systemd.runs", 3_000, "how many random schedules to try under systemd")
	systemdSeed = flag.Uint64("systemd.seed", 0, "the one schedule to try under systemd, as a failure printed it")
)

// patient is an erratic program that records whether it may have looked dead to the watchdog.
type patient struct {
	*erratic
	limit  time.Duration // half of the interval of the watchdog
	unwell atomic.Bool
}

func (p *patient) Check(ctx context.Context) error {
	begun := time.Now()
	err := p.erratic.Check(ctx)
	if err != nil || time.Since(begun) >= p.limit {
		p.unwell.Store(true)
	}
	return err
}

// underSystemd runs one random program under one random unit, and returns the rules that were
// broken.
func underSystemd(t *testing.T, seed uint64) (broken []string) {
	random := rand.New(rand.NewPCG(seed, 0))
	p := &patient{erratic: &erratic{dice: rand.New(rand.NewPCG(seed, 1))}}
	upTo := func(d time.Duration) time.Duration { return 1 + time.Duration(random.Int64N(int64(d))) }

	var errs found
	sd := &daemontest.Systemd{TimeoutStart: upTo(20*time.Second) + 100*time.Millisecond, Errorf: errs.Errorf}
	// When systemctl stops a program that is stopping already during its start, the next tick
	// requests more time.
	sd.TimeoutStop = time.Second + upTo(20*time.Second)
	if random.IntN(2) == 0 {
		sd.Type = "notify"
	}
	if random.IntN(2) == 0 {
		sd.Watchdog = upTo(5*time.Second) + 10*time.Millisecond
		p.limit = sd.Watchdog / 2
	}
	config := daemon.Config{
		Logger:       zap.NewNop(),
		StartTimeout: time.Second + upTo(20*time.Second),
		StopTimeout:  2*time.Second + upTo(20*time.Second),
	}
	if random.IntN(2) == 0 {
		config.DrainDelay = config.StopTimeout / time.Duration(2+random.IntN(8))
	}
	early := false // something other than systemd has stopped a start
	err := daemontest.Drive(t, sd, p, config, func() {
		for range random.IntN(20) {
			switch random.IntN(12) {
			case 0, 1:
				_ = sd.Reload()
			case 2, 3:
				sd.Kill(syscall.SIGHUP)
			case 4:
				early = early || sd.Status().ActiveState == "activating"
				sd.Kill(syscall.SIGTERM)
			case 5:
				early = early || sd.Status().ActiveState == "activating"
				sd.Kill(syscall.SIGINT)
			case 6:
				sd.Stop()
			default:
				daemontest.Sleep(upTo(5 * time.Second))
			}
		}
	})

	return violationsUnderSystemd(sd, p, errs.broken, early, err)
}

// violationsUnderSystemd returns the rules that were broken. errs are those that systemd saw, early
// says that something other than systemd stopped a start, and err is the result of Run.
func violationsUnderSystemd(sd *daemontest.Systemd, p *patient, errs []string, early bool, err error) (broken []string) {
	breaks := func(format string, args ...any) { broken = append(broken, fmt.Sprintf(format, args...)) }
	is := sd.Status()
	allowed := is.Result == "watchdog" && p.unwell.Load() || is.Result == "protocol" && early
	for _, what := range errs {
		if !allowed || !strings.Contains(what, "(Result="+is.Result+")") {
			breaks("%s", what)
		}
	}
	for _, line := range assignments(sd) {
		usec, extends := strings.CutPrefix(line, "EXTEND_TIMEOUT_USEC=")
		if n, err := strconv.Atoi(usec); extends && (err != nil || n > 5_000_000) {
			breaks("%s is more than a program is to have that hangs", line)
		}
	}
	broken = append(broken, p.broken...)
	if is.Result == "watchdog" {
		return broken // it does not matter what the process would have done afterwards
	}
	if p.failed && err == nil {
		breaks("a failure looks like success")
	}
	if n := countSent(sd, "STOPPING=1"); n != 1 {
		breaks("STOPPING=1 was heard %d times", n)
	}
	if ok := err == nil; is.Result != "protocol" && ok != (is.Result == "success") || is.ExecMainStatus != daemon.ExitCode(err) {
		breaks("it has ended with %s and exit code %d, and the result is %v", is.Result, is.ExecMainStatus, err)
	}
	return broken
}

func TestSystemd_RandomSchedulesKeepItsRules(t *testing.T) {
	if *systemdSeed != 0 {
		for _, b := range underSystemd(t, *systemdSeed) {
			t.Error(b)
		}
		return
	}
	base := uint64(time.Now().UnixNano())
	var tried atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := tried.Add(1); i <= int64(*systemdRuns); i = tried.Add(1) {
				seed := base + uint64(i)
				if broken := underSystemd(t, seed); len(broken) > 0 {
					t.Errorf("%s\nagain with -systemd.seed=%d", strings.Join(broken, "\n"), seed)
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d random schedules", *systemdRuns)
}
