package journal

import (
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/log/logevent"
)

// messages reads up to and including the message last.
func (j *journald) messages(last string) (all []string) {
	for len(all) == 0 || all[len(all)-1] != last {
		fields, err := j.read(30 * time.Second)
		if err != nil {
			j.t.Errorf("after %d messages: %v", len(all), err)
			return all
		}
		all = append(all, value(fields, "MESSAGE"))
	}
	return all
}

func TestDrain_WaitsWhileTheJournalReads(t *testing.T) {
	j := listen(t)
	c := j.core()
	log := zap.New(c)
	n := fill(t, c)
	for range 5 {
		write(t, c, strconv.Itoa(n))
		n++
	}
	log.Info("stopping", logevent.Stopping.Field())
	var got []string
	var reading sync.WaitGroup
	stop := make(chan struct{})
	reading.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(100 * time.Millisecond): // longer than any call waits
				if fields, err := j.read(time.Millisecond); err == nil {
					got = append(got, value(fields, "MESSAGE"))
				}
			}
		}
	})
	if err := c.Drain(t.Context()); err != nil {
		t.Error(err)
	}
	close(stop)
	reading.Wait()
	log.Info("stopped", logevent.Stopped.Field())
	done := make(chan error)
	go func() { done <- c.Close(t.Context()) }()
	if last := j.message(); last != "stopped" {
		t.Errorf("the last record is %q", last)
	}
	if err := <-done; err != nil || c.Lost() != 0 || len(got) != n+1 {
		t.Errorf("%v, %d lost, %d of %d arrived", err, c.Lost(), len(got), n+1)
	}
	if got[n] == "stopping" {
		t.Error("the run's own record is behind the backlog")
	}
}

func TestDrain_ReportFollowsTheLossesOfAHangingJournal(t *testing.T) {
	j := listen(t)
	c := j.core()
	log := zap.New(c)
	const records = 60_000
	for i := range records {
		log.Info("burst", zap.Int("i", i))
	}
	if err := c.Drain(t.Context()); err == nil || !strings.Contains(err.Error(), "the journal has taken nothing for") {
		t.Errorf("Drain: %v", err)
	}
	lost := c.Lost()
	log.Info("stopped", logevent.Stopped.Field())
	first := j.message() // the journal reads again before Close, which waits 5 ms for one that hangs
	done := make(chan []string)
	go func() { done <- append([]string{first}, j.messages("stopped")...) }()
	if err := c.Close(t.Context()); err != nil || c.Untold() != 0 || c.Lost() != lost {
		t.Errorf("Close: %v, %d lost, %d untold", err, c.Lost(), c.Untold())
	}
	got := <-done
	n := len(got)
	if want := strconv.FormatUint(lost, 10) + " log records were lost: the journal did not take them in time"; n+int(lost) != records+2 || got[n-1] != "stopped" || got[n-2] != want {
		t.Errorf("%d messages, %d lost, at the end %q", n, lost, got[max(0, n-2):])
	}
}
